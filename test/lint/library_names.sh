#!/bin/sh
# library_names.sh: the names of a foreign library appear in the files that
# wrap it, nowhere else.
. "$(dirname "$0")/lib.sh"

# only PATTERN FILES: the pattern, in code outside of FILES.
only() {
	grep -E "$1" "$stripped" | grep -vE "^src/($2):" | said "for src/($2) only"
}

stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
code >"$stripped"
{
	only '\<(curl_[a-z]|CURL(|M|SH|U)\>|CURL[A-Z]*_[A-Z])|<curl/' \
		'net/sw_http[a-z_]*\.[ch]'
	only '\<(SSL|X509|BIO)_[A-Za-z]|<openssl/(ssl|x509|x509v3|bio)\.h>' \
		'net/sw_tls\.[ch]'
	only '\<(EVP|HMAC)(_[A-Za-z]|\()|<openssl/(evp|hmac)\.h>' \
		'(net/sw_(secret|keyring)|sign/sw_(sign_v4|md5))\.[ch]'
	only '\<ZSTD_[A-Za-z]|<zstd\.h>' \
		'format/sw_codec_zstd\.c'
	only '\<LZ4F?_[A-Za-z]|<lz4[a-z]*\.h>' \
		'format/sw_codec_lz4\.c'
} | conclude
