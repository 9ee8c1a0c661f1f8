"""The transport cases of the wire: groups MAN, BLB, UPL, MNT, LIM and ERR, as whole runs between two registries."""
