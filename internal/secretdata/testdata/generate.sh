#!/bin/sh
# Makes the files of this folder with OpenSSL, so that what the tests compare with was not written by what they test:
# per kind of key a chain root, intermediate, leaf, its key as PKCS#8 (key.pem) and in the traditional form, and the PFX
# files of the leaf in the ciphers that are met with, the certificates in the wrong order. No file has a password.
# The keys protect nothing. Run it in this folder; needs OpenSSL 3 with its legacy provider, and python3.
set -eu

chain() { # kind, options of `openssl genpkey`
	kind=$1
	shift
	mkdir -p "$kind"
	cd "$kind"
	for name in root intermediate leaf; do
		openssl genpkey "$@" -out "$name.key"
		openssl req -new -key "$name.key" -subj "/O=secretstore test/CN=$kind $name" -out "$name.csr"
	done
	printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' >ca.ext
	printf 'basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:test.example\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' >leaf.ext
	openssl x509 -req -in root.csr -key root.key -days 36500 -set_serial 1 -extfile ca.ext -out root.pem
	openssl x509 -req -in intermediate.csr -CA root.pem -CAkey root.key -days 36500 -set_serial 2 -extfile ca.ext -out intermediate.pem
	openssl x509 -req -in leaf.csr -CA intermediate.pem -CAkey intermediate.key -days 36500 -set_serial 3 -extfile leaf.ext -out leaf.pem
	openssl pkcs8 -topk8 -nocrypt -in leaf.key -out key.pem
	openssl pkey -in leaf.key -traditional -out traditional.pem
	openssl pkey -in leaf.key -pubout -out public.pem
	cat root.pem intermediate.pem >issuers
	pfx modern
	pfx legacy -legacy
	pfx 3des -legacy -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1
	pfx plain -certpbe NONE -keypbe NONE -nomac
	pfx sha512 -macalg sha512 -iter 10000
	rm -f ./*.key ./*.csr ./*.ext issuers
	cd ..
}

pfx() { # name, options of `openssl pkcs12`
	name=$1
	shift
	openssl pkcs12 -export -inkey leaf.key -in leaf.pem -certfile issuers -passout pass: "$@" -out file.pfx
	base64 -w 0 file.pfx >"$name.pfx.txt"
	rm file.pfx
}

chain rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
chain ec256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
chain ec384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
chain ec521 -algorithm EC -pkeyopt ec_paramgen_curve:P-521

# A PFX made with no password at all, which is another thing than an empty one: only the library can make it.
python3 - <<'PYTHON'
import base64, ctypes, ctypes.util

lib = ctypes.CDLL(ctypes.util.find_library("crypto"))
for name in ("BIO_new_file", "PEM_read_bio_PrivateKey", "PEM_read_bio_X509", "PKCS12_create", "OPENSSL_sk_new_null"):
    getattr(lib, name).restype = ctypes.c_void_p

def read(function, path):
    bio = ctypes.c_void_p(lib.BIO_new_file(path.encode(), b"r"))
    return ctypes.c_void_p(getattr(lib, function)(bio, None, None, None))

issuers = ctypes.c_void_p(lib.OPENSSL_sk_new_null())
for issuer in ("root", "intermediate"):
    lib.OPENSSL_sk_push(issuers, read("PEM_read_bio_X509", f"rsa/{issuer}.pem"))
made = ctypes.c_void_p(lib.PKCS12_create(None, None, read("PEM_read_bio_PrivateKey", "rsa/key.pem"),
    read("PEM_read_bio_X509", "rsa/leaf.pem"), issuers, 0, 0, 0, 0, 0))
size = lib.i2d_PKCS12(made, None)
der = ctypes.create_string_buffer(size)
lib.i2d_PKCS12(made, ctypes.byref(ctypes.c_void_p(ctypes.addressof(der))))
open("rsa/nopassword.pfx.txt", "wb").write(base64.b64encode(der.raw))
PYTHON
# What must be refused.
openssl pkcs12 -export -inkey rsa/key.pem -in rsa/leaf.pem -passout pass:swordfish | base64 -w 0 >rsa/password.pfx.txt
openssl pkcs12 -export -inkey rsa/key.pem -in rsa/leaf.pem -passout pass: -iter 2000000 | base64 -w 0 >rsa/costly.pfx.txt
openssl pkcs12 -export -nokeys -in rsa/leaf.pem -passout pass: | base64 -w 0 >rsa/keyless.pfx.txt
openssl pkcs12 -export -inkey rsa/key.pem -in rsa/leaf.pem -passout pass: -macalg sha384 | base64 -w 0 >rsa/unsupported.pfx.txt
openssl pkcs8 -topk8 -in rsa/key.pem -passout pass:swordfish -out rsa/encrypted.pem
