"""Signatures that others made, at real registries: cosign's in both forms, skopeo's, and ours as others see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from imagesync.plan.attachments import tag_of
from imagesync.reference import Digest, Tag
from imagesync.spec.model import AttachmentType
from tests.images import list_of, make_index, push_image
from tests.real.conftest import Real
from tests.real.cosign import FORMS, Cosign
from tests.real.layouts import NGINX, SAMPLE
from tests.real.policies import SCRIPT, Checker, checking_skopeo
from tests.real.registries import RealRegistry, plain_registry
from tests.real.skopeo import Skopeo
from tests.real.sync import Sync
from tests.registry.remote import open_repository
from tests.signature.artifacts import make_evidence, make_referrer
from tests.signature.signers import SIGNERS, SLSA_1, make_ecdsa, make_payload, make_rsa, make_statement

PUBLIC_KEY = NGINX.parent / "nginx.pub"
DIGEST = Digest(SAMPLE.digest("1.0"))
PREDICATE = {
    "buildDefinition": {"buildType": "x", "externalParameters": {"source": "git+https://github.com/acme/app"}},
    "runDetails": {"builder": {"id": "https://example.com/builder"}},
}
SIGNED_AS = "127.0.0.1:7003"
"""Where the nginx image was signed."""


@dataclass(frozen=True)
class Place:
    """Two registries, imagesync as a process, and skopeo."""

    here: RealRegistry
    there: RealRegistry
    sync: Sync
    skopeo: Skopeo

    def run(self, command: str, *arguments: str) -> tuple[int, str]:
        return self.sync.told(command, *arguments)


@pytest.fixture(scope="module")
def place(real: Real, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with plain_registry() as here, plain_registry() as there:
        skopeo = Skopeo(tmp_path_factory.mktemp("skopeo"), [here, there])
        yield Place(here, there, Sync(tmp_path_factory.mktemp("home"), real), skopeo)


@pytest.fixture(scope="module")
def nginx(place: Place) -> str:
    """The signed image, out of its archive; its name at the registry."""
    if not NGINX.exists():
        pytest.skip("the signed nginx image does not lie beside this checkout")
    name = f"{place.here.host}/library/nginx:1.22.1"
    code, said = place.run("copy", f"oci-archive:{NGINX}:1.22.1", name)
    assert code == 0, said
    return name


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["ECDSA", "RSA"])
def test_what_cosign_signs_verifies_here_and_its_copy_verifies_by_cosign(
    place: Place, cosign: Cosign, kind: str, form: str
) -> None:
    path, key = f"cosign-{kind.lower()}-{form}", f"{kind}-{form}"
    name = f"{place.here.host}/{path}:1.0"
    public = cosign.make_key(key) if kind == "ECDSA" else cosign.import_key(key, make_rsa().private_pem)
    place.skopeo.copy(f"oci:{SAMPLE}:1.0", f"docker://{name}")
    assert place.run("verify", name, "--key", str(public))[0] == 3
    cosign.sign(f"{place.here.host}/{path}@{DIGEST}", key=key, form=form)
    assert place.run("verify", name, "--key", str(public))[0] == 0
    assert place.run("copy", name, f"{place.there.host}/{path}:1.0")[0] == 0
    assert place.run("verify", f"{place.there.host}/{path}:1.0", "--key", str(public))[0] == 0
    cosign.verify(f"{place.there.host}/{path}:1.0", key=key, form=form)


@pytest.mark.parametrize("form", FORMS)
def test_what_cosign_attests_verifies_here_with_builder_and_source(place: Place, cosign: Cosign, form: str) -> None:
    name = f"{place.here.host}/attested-{form}:1.0"
    public = cosign.make_key(f"attester-{form}")
    place.skopeo.copy(f"oci:{SAMPLE}:1.0", f"docker://{name}")
    cosign.attest(f"{name.removesuffix(':1.0')}@{DIGEST}", PREDICATE, key=f"attester-{form}", form=form)
    wanted = ["--key", str(public), "--attestation", SLSA_1]
    code, said = place.run("verify", name, *wanted, "--source", "https://github.com/acme/app")
    assert (code, "built by https://example.com/builder, built from https://github.com/acme/app" in said) == (0, True)
    assert place.run("verify", name, *wanted, "--builder", "https://evil.example/*")[0] == 3
    assert place.run("verify", name, "--key", str(public))[0] == 3


def test_the_signed_nginx_verifies_on_the_index_and_on_each_platform(place: Place, nginx: str) -> None:
    assert place.run("verify", nginx, "--key", str(PUBLIC_KEY))[0] == 0
    code, said = place.run("verify", nginx, "--key", str(PUBLIC_KEY), "--each-platform")
    assert (code, said.count("  verified  ")) == (0, 2)


def test_the_signed_nginx_verifies_under_the_name_that_was_signed_alone(place: Place, nginx: str) -> None:
    key = ("--key", str(PUBLIC_KEY))
    assert place.run("verify", nginx, *key, "--signed-as", f"{place.here.host}={SIGNED_AS}")[0] == 0
    code, said = place.run("verify", nginx, *key, "--signed-as", "exact")
    assert (code, f"signed as '{SIGNED_AS}/library/nginx:1.22.1', wanted {nginx}" in said) == (3, True)


def test_the_signed_nginx_is_rejected_with_another_key(place: Place, nginx: str, tmp_path: Path) -> None:
    (tmp_path / "other.pub").write_text(make_ecdsa().pem)
    code, said = place.run("verify", nginx, "--key", str(tmp_path / "other.pub"))
    assert (code, "signed by another key, or changed since" in said) == (3, True)


def test_a_good_signature_that_was_moved_to_another_image_is_rejected(place: Place, nginx: str) -> None:
    with open_repository(place.here, "library/nginx") as store:
        root = store.fetch_manifest(Tag("1.22.1"))
        other = make_index("unsigned")
        push_image(store, other, "unsigned")
        signature = store.fetch_manifest(tag_of(root.digest, AttachmentType.SIGNATURES))
        store.push_manifest(signature, tag_of(other.digest, AttachmentType.SIGNATURES))
    code, said = place.run("verify", nginx.replace("1.22.1", "unsigned"), "--key", str(PUBLIC_KEY))
    assert (code, f"speaks of another digest: '{root.digest}'" in said) == (3, True)


@pytest.mark.parametrize("kind", ["P-256", "Ed25519", "RSA PKCS1v15"])
def test_what_these_tests_sign_cosign_verifies_as_we_do(place: Place, cosign: Cosign, kind: str) -> None:
    owner, image, path = SIGNERS[kind](), make_index(f"signed by the tests, {kind}"), f"ours-{kind[:3].lower()}"
    name, key = f"{place.here.host}/{path}:1", cosign.folder / f"{path}.pub"
    key.write_text(owner.pem)
    bundle = make_referrer(image.root, owner.bundle(make_statement(digests=(image.digest,))))
    with open_repository(place.here, path) as store:
        push_image(store, image, "1")
        signature = make_evidence(owner.signature(make_payload(image.digest, name)))
        push_image(store, signature, tag_of(image.digest, AttachmentType.SIGNATURES))
        push_image(store, list_of(bundle), tag_of(image.digest, AttachmentType.REFERRERS))
    for form in FORMS:
        cosign.verify(name, key=path, form=form)
    code, said = place.run("verify", name, "--key", str(key))
    assert (code, said.count("    + sha256")) == (0, 2)


def test_what_these_tests_sign_skopeo_lets_in_as_we_do(place: Place, tmp_path: Path) -> None:
    program = checking_skopeo()
    if program is None:
        pytest.skip(f"no skopeo that checks sigstore signatures (1.18 or later): `bash {SCRIPT}` fetches one")
    owner, image = make_ecdsa(), make_index("signed by the tests")
    name, key = f"{place.here.host}/ours:1", tmp_path / "owner.pub"
    key.write_text(owner.pem)
    with open_repository(place.here, "ours") as store:
        push_image(store, image, "1")
        for one in (image.digest, *(child.digest for child in image.children)):
            signature = make_evidence(owner.signature(make_payload(one, name)))
            push_image(store, signature, tag_of(one, AttachmentType.SIGNATURES))
    done = Checker(program, tmp_path).check(name, key, {"type": "matchExact"})
    assert done.returncode == 0, done.stderr
    assert place.run("verify", name, "--key", str(key), "--signed-as", "exact", "--each-platform")[0] == 0
