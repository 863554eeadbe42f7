"""Pickle the objects that neither Python nor LocalStack can pickle.

Each reducer handles one kind of object in the state of any service.
"""
# mypy: disable-error-code="import-not-found, import-untyped, misc, untyped-decorator"

import functools
import threading
from collections import OrderedDict, defaultdict
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from localstack.state import pickle

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
# The public classes of keys are abstract, but pickling needs the class of a real object.
_PRIVATE: tuple[Any, ...] = (
    type(rsa.generate_private_key(65537, 1024)),  # noqa: S505 - only its class is used
    type(ec.generate_private_key(ec.SECP256R1())),
    type(ed25519.Ed25519PrivateKey.generate()),
    type(ed448.Ed448PrivateKey.generate()),
)
_PUBLIC: tuple[Any, ...] = (
    type(rsa.generate_private_key(65537, 1024).public_key()),  # noqa: S505 - only its class is used
    type(ec.generate_private_key(ec.SECP256R1()).public_key()),
    type(ed25519.Ed25519PrivateKey.generate().public_key()),
    type(ed448.Ed448PrivateKey.generate().public_key()),
)


@pickle.reducer(type(threading.RLock()), threading.RLock)
@pickle.reducer(type(threading.Lock()), threading.Lock)
def _nothing(_lock: Any) -> tuple[()]:
    """Restore a lock as free, because its holder is gone."""
    return ()


def _private_key(data: bytes) -> PrivateKeyTypes:
    return serialization.load_der_private_key(data, None)


def _public_key(data: bytes) -> PublicKeyTypes:
    return serialization.load_der_public_key(data)


def _of_private_key(key: Any) -> tuple[bytes]:
    return (key.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),)


def _of_public_key(key: Any) -> tuple[bytes]:
    return (key.public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo),)


for _class in _PRIVATE:
    pickle.reducer(_class, _private_key)(_of_private_key)
for _class in _PUBLIC:
    pickle.reducer(_class, _public_key)(_of_public_key)


def _certificate(data: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(data)


def _request(data: bytes) -> x509.CertificateSigningRequest:
    return x509.load_pem_x509_csr(data)


@pickle.reducer(x509.Certificate, _certificate)
def _of_certificate(certificate: Any) -> tuple[bytes]:
    return (certificate.public_bytes(PEM),)


@pickle.reducer(x509.CertificateSigningRequest, _request)
def _of_request(request: Any) -> tuple[bytes]:
    return (request.public_bytes(PEM),)


def _save_dictionary(pickler: Any, dictionary: Any) -> None:
    """Save a dictionary of a class with its own constructor, which the restore does not call."""
    factory = dictionary.default_factory if isinstance(dictionary, defaultdict) else None
    state = (factory, dict(vars(dictionary)) if hasattr(dictionary, "__dict__") else {})
    pickler.save_reduce(
        _make_dictionary,
        (type(dictionary),),
        state,
        dictitems=iter(dict.items(dictionary)),
        obj=dictionary,
        state_setter=_set_state,
    )


def _make_dictionary(kind: Any) -> Any:
    dictionary = kind.__new__(kind)
    base = next(base for base in (OrderedDict, defaultdict, dict) if issubclass(kind, base))
    base.__init__(dictionary)
    return dictionary


def _set_state(dictionary: Any, state: tuple[Any, dict[str, Any]]) -> None:
    factory, attributes = state
    if isinstance(dictionary, defaultdict):
        dictionary.default_factory = factory
    if attributes:
        vars(dictionary).update(attributes)


@functools.cache
def cover(kind: type) -> None:
    """Register a dictionary class. Its constructor needs arguments, which pickle does not have."""
    pickle.register(kind)(_save_dictionary)


def cover_dictionaries() -> None:
    """Register every loaded subclass of defaultdict that has its own constructor."""
    rest: list[Any] = [defaultdict]
    while rest:
        kind = rest.pop()
        rest += kind.__subclasses__()
        has_own_constructor = kind.__init__ is not defaultdict.__init__
        if has_own_constructor and kind.__reduce__ is defaultdict.__reduce__:
            cover(kind)
