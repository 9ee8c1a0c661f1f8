"""Threats: which lies are told of each of S1 to S28. At which endpoints, `outcomes.txt` says; what no registry can do
is held where `docs/threats.md` says.
"""

from __future__ import annotations

from collections.abc import Mapping

LIES_OF: Mapping[str, tuple[str, ...]] = {
    "S1": ("a layer from elsewhere",),
    "S2": ("realm at a public host", "realm at a name on loopback", "realm at metadata", "realm with a user"),
    "S3": ("a session at a public host", "a session at a name on loopback", "a session at metadata"),
    "S4": ("redirect to a public host", "redirect to a name on loopback", "redirect to metadata", "a cookie"),
    "S5": ("a next page at a public host", "a next page on loopback", "a next page at metadata"),
    "S6": ("a next page that is this one", "pages without end", "empty pages without end", "large pages without end"),
    "S7": ("an index that is an image", "another type than its own", "an unknown type", "a web page"),
    "S8": ("another digest", "another manifest of that digest", "other bytes", "more bytes", "another digest stored"),
    "S9": ("a digest that is a path", "a blob that is a path", "a referrer that is a path", "a path stored"),
    "S10": ("a body without end", "an error without end", "a header without end", "short texts", "99999 long names"),
    "S11": ("indexes in indexes", "10001 children", "one child 20000 times", "brackets in brackets"),
    "S13": ("compressed",),
    "S14": ("refusal with commands",),
    "S17": ("names that are none", "a digest that is a command"),
    "S18": ("another manifest", "another digest"),
    "S20": ("silence", "half a head", "a head letter by letter", "a body letter by letter", "chunks of one letter"),
    "S21": ("redirect to itself", "redirect on and on"),
    "S22": ("a token for ever", "a token that is none"),
    "S26": ("refusal with control characters", "redirect with a control character", "a token with a line break"),
    "S28": (
        "redirect to a file",
        "redirect to data",
        "realm in a file",
        "a session in a file",
        "a next page in a file",
    ),
}
TOLD_OTHERWISE: Mapping[str, str] = {
    "S12": "links, devices and names that lead out are of files: tests/layout and tests/archive make them",
    "S15": "credential helpers are programs of this machine: tests/registry/test_credentials.py has some that fail",
    "S16": "which login is found is decided before anybody is asked: tests/registry/test_credentials.py",
    "S19": "plain HTTP and certificates are of the connection: test_tls.py has both",
    "S23": "specs are the user's: tests/spec/test_document.py",
    "S24": "specs are the user's: tests/spec/test_interpolate.py",
    "S25": "apply deletes nothing: tests/cli/test_prune.py has lists that fail, are cut and are empty",
    "S27": "names in archives are of files: tests/archive has those that are paths",
}
"""Why no liar tells of the others."""
