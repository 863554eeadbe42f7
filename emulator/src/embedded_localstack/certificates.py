"""Create the server's certificate for HTTPS and the local certificate authority that signs it. Functions trust it.

LocalStack downloads a certificate for localhost.localstack.cloud, or creates one that no client trusts.
"""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DOMAIN = "localhost.localstack.cloud"
HOSTS = ("localhost", DOMAIN, f"*.{DOMAIN}", f"*.s3.{DOMAIN}", f"*.us-east-1.{DOMAIN}")
DAYS = 365
SERVER = "private/server.pem"
TRUSTED = "trusted"
"""The subfolder that functions see."""
AUTHORITY, BUNDLE = f"{TRUSTED}/authority.pem", f"{TRUSTED}/bundle.pem"
_PEM = serialization.Encoding.PEM


def make(folder: Path) -> None:
    """Create the certificates in a folder, unless it has certificates that are valid for at least another day.

    The bundle contains the authorities that the SDKs trust, and the local authority.
    """
    from certifi import contents  # noqa: PLC0415 - only the environment of a server has it

    if (folder / BUNDLE).is_file() and _days_left((folder / AUTHORITY).read_bytes()) > 1:
        return
    (folder / TRUSTED).mkdir(parents=True, exist_ok=True)
    (folder / SERVER).parent.mkdir(mode=0o700, exist_ok=True)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "embedded LocalStack")])
    authority = (
        _certificate(issuer, issuer, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in HOSTS]
    certificate = (
        _certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)]), issuer, key.public_key())
        .add_extension(x509.SubjectAlternativeName([*names, x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    secret = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    # The authority's key is not needed again, so it is not written to disk.
    own = authority.public_bytes(_PEM)
    with os.fdopen(os.open(folder / SERVER, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret + certificate.public_bytes(_PEM))
    (folder / AUTHORITY).write_bytes(own)
    (folder / BUNDLE).write_bytes(contents().encode() + own)


def variables(folder: Path) -> dict[str, str]:
    """Return the environment variables that make OpenSSL, the AWS SDKs, requests and Node.js trust the server."""
    bundle = str(folder / BUNDLE)
    return {
        "AWS_CA_BUNDLE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
        "NODE_EXTRA_CA_CERTS": str(folder / AUTHORITY),
    }


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _days_left(certificate: bytes) -> float:
    end = x509.load_pem_x509_certificate(certificate).not_valid_after_utc
    return (end - datetime.now(UTC)) / timedelta(days=1)
