"""Reads key files with TLS libraries and prints what each says: library, file, 0 or the error. Arguments: passphrase, files."""
import ctypes
import glob
import os
import ssl
import sys

PASSPHRASE = sys.argv[1].encode()


def library(pattern):
    found = sorted(glob.glob("/usr/lib/*/" + pattern))
    return ctypes.CDLL(found[-1]) if found else None


def mbedtls(lib, data, path):
    context = ctypes.create_string_buffer(256)
    lib.mbedtls_pk_init(context)
    # The length of PEM counts the zero behind it.
    key = data if path.endswith((".der", ".pfx")) else data + b"\0"
    result = lib.mbedtls_pk_parse_key(context, key, ctypes.c_size_t(len(key)), PASSPHRASE, ctypes.c_size_t(len(PASSPHRASE)))
    return "0" if result == 0 else "-0x%04X" % -result


PASSWORD = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


@PASSWORD
def give_passphrase(buffer, size, _rw, _user):
    ctypes.memmove(buffer, PASSPHRASE, min(size, len(PASSPHRASE)))
    return len(PASSPHRASE)


def wolfssl(lib, data, path):
    lib.wolfTLSv1_2_client_method.restype = ctypes.c_void_p
    lib.wolfSSL_CTX_new.restype = ctypes.c_void_p
    context = ctypes.c_void_p(lib.wolfSSL_CTX_new(ctypes.c_void_p(lib.wolfTLSv1_2_client_method())))
    lib.wolfSSL_CTX_set_default_passwd_cb(context, give_passphrase)
    kind = 2 if path.endswith((".der", ".pfx")) else 1
    result = lib.wolfSSL_CTX_use_PrivateKey_buffer(context, data, ctypes.c_long(len(data)), kind)
    lib.wolfSSL_CTX_free(context)
    return "0" if result == 1 else str(result)


class Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_uint)]


def gnutls(lib, data, path):
    key = ctypes.c_void_p()
    lib.gnutls_privkey_init(ctypes.byref(key))
    kind = 0 if path.endswith((".der", ".pfx")) else 1
    result = lib.gnutls_privkey_import_x509_raw(key, ctypes.byref(Datum(data, len(data))), kind, PASSPHRASE, 0)
    lib.gnutls_privkey_deinit(key)
    return str(result)


def openssl(_lib, _data, path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_cert_chain(os.path.join(os.path.dirname(path), "any.crt"), path, lambda: PASSPHRASE)
        return "0"
    except ssl.SSLError as error:
        # The key was read, and is another one than that of the certificate.
        return "0" if error.reason in ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED") else error.reason or "unread"


LIBRARIES = [
    ("mbedtls-2.28", mbedtls, library("libmbedcrypto.so.7")),
    ("wolfssl", wolfssl, library("libwolfssl.so.*")),
    ("gnutls", gnutls, library("libgnutls.so.30")),
    ("openssl-3", openssl, ssl if ssl.OPENSSL_VERSION_INFO[0] == 3 else None),
]

for name, read, lib in LIBRARIES:
    if lib is None:
        continue
    if name == "wolfssl":
        lib.wolfSSL_Init()
    for path in sys.argv[2:]:
        with open(path, "rb") as file:
            data = file.read()
        print(name, os.path.basename(path), read(lib, data, path))
