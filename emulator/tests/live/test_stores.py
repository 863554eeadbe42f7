"""Test that the state of each service is pickled and restored separately."""

import io
import threading
from collections import defaultdict

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto.core.base_backend import BackendDict
from moto.ssm.models import ParameterDict, ssm_backends

from embedded_localstack.snapshot import stores

STORES = {
    "locks": [{"lock": threading.Lock(), "value": 1}],
    "generators": [{"value": (number for number in range(3))}],
    "parameters": [ParameterDict("000000000000", "us-east-1")],
}


def containers(*dictionaries: object) -> stores.Containers:
    made = stores.Containers()
    made.dictionaries += dictionaries
    return made


def round_trip(value: object) -> object:
    rehearsal = stores.rehearse(["a"], lambda _name: containers({"value": value}))
    assert rehearsal.failures == {}
    return stores.Unpickler(io.BytesIO(rehearsal.pickles["a"]), None).load()[0]["value"]


def test_a_service_that_cannot_be_pickled_is_named_and_the_others_are_pickled():
    rehearsal = stores.rehearse(list(STORES), lambda name: containers(*STORES[name]))
    assert set(rehearsal.pickles) == {"locks", "parameters"}
    assert "cannot pickle 'generator' object" in rehearsal.failures["generators"]
    assert rehearsal.size == sum(map(len, rehearsal.pickles.values()))


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["rsa", "ec", "ed25519"],
)
def test_keys_are_the_same_after_a_restart(key: object):
    def public(either: object) -> bytes:
        public_key = either.public_key() if hasattr(either, "public_key") else either
        return bytes(public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    assert public(round_trip(key)) == public(round_trip(key.public_key())) == public(key)


def test_a_certificate_is_the_same_after_a_restart():
    from moto.acm.models import CertBundle  # noqa: PLC0415 - moto reads the environment when imported

    certificate = CertBundle.generate_cert("a.example.com", "000000000000", "us-east-1")
    restored = round_trip(certificate)
    assert isinstance(restored, CertBundle)
    assert isinstance(restored._cert, x509.Certificate)
    assert restored._cert == certificate._cert


def test_a_dictionary_with_a_constructor_of_its_own_keeps_its_attributes():
    parameters = ParameterDict("000000000000", "us-east-1")
    defaultdict.__setitem__(parameters, "/a", ["1"])
    restored = round_trip(parameters)
    assert isinstance(restored, ParameterDict)
    assert (dict.__getitem__(restored, "/a"), restored.default_factory) == (["1"], list)
    assert vars(restored) == vars(parameters)


def test_a_backend_of_another_service_is_named_and_not_copied():
    assert isinstance(ssm_backends, BackendDict)
    backend = ssm_backends["000000000000"]["us-east-1"]
    holders = {"ssm": containers(ssm_backends), "other": containers({"backend": backend})}
    pickles = stores.rehearse(["ssm", "other"], holders.__getitem__).pickles
    assert len(pickles["other"]) < 200 < len(pickles["ssm"])
