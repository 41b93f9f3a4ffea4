/*-------------------------------------------------------------------------
 *
 * sw_md5.c
 *	  MD5 of what is sent to a store, which wants it as a checksum.
 *
 * Pure: never throws.  From OpenSSL and not from the server, whose hashes
 * want a current resource owner (see sw_sign_v4.c).  A type of OpenSSL's
 * stands behind SwMd5, so there is nothing to allocate here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include <openssl/evp.h>

#include "sign/sw_md5.h"

SwMd5 *
sw_md5_begin(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context != NULL && EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1)
		return (SwMd5 *) context;
	EVP_MD_CTX_free(context);
	return NULL;
}

/* A failure stays with the context; the end tells. */
void
sw_md5_add(SwMd5 *hash, const void *bytes, Size n)
{
	(void) EVP_DigestUpdate((EVP_MD_CTX *) hash, bytes, n);
}

bool
sw_md5_end(SwMd5 *hash, uint8 md5[SW_MD5_BYTES])
{
	unsigned int n = 0;
	bool		is_good;

	is_good = EVP_DigestFinal_ex((EVP_MD_CTX *) hash, md5, &n) == 1 &&
		n == SW_MD5_BYTES;
	EVP_MD_CTX_free((EVP_MD_CTX *) hash);
	return is_good;
}

void
sw_md5_format_base64(const uint8 md5[SW_MD5_BYTES],
					 char text[SW_MD5_BASE64_SIZE])
{
	EVP_EncodeBlock((unsigned char *) text, md5, SW_MD5_BYTES);
}

void
sw_md5_format_hex(const uint8 md5[SW_MD5_BYTES], char text[SW_MD5_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	int			i;

	for (i = 0; i < SW_MD5_BYTES; i++)
	{
		text[2 * i] = digits[md5[i] >> 4];
		text[2 * i + 1] = digits[md5[i] & 15];
	}
	text[2 * SW_MD5_BYTES] = '\0';
}
