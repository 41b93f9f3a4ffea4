/*-------------------------------------------------------------------------
 *
 * sw_md5.h
 *	  MD5 of what is sent to a store, which wants it as a checksum.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_MD5_H
#define SW_MD5_H

#define SW_MD5_BYTES	16

/* In base64 and in hex, with the terminator */
#define SW_MD5_BASE64_SIZE 25
#define SW_MD5_HEX_SIZE 33

typedef struct SwMd5 SwMd5;

/*
 * NULL where the configuration of OpenSSL forbids MD5.  Lives outside of all
 * memory contexts: sw_md5_end must follow, with nothing in between that may
 * throw.
 */
extern SwMd5 *sw_md5_begin(void);
extern void sw_md5_add(SwMd5 *hash, const void *bytes, Size n);

/* Frees it.  false = it failed on the way. */
extern bool sw_md5_end(SwMd5 *hash, uint8 md5[SW_MD5_BYTES]);

extern void sw_md5_format_base64(const uint8 md5[SW_MD5_BYTES],
								 char text[SW_MD5_BASE64_SIZE]);
extern void sw_md5_format_hex(const uint8 md5[SW_MD5_BYTES],
							  char text[SW_MD5_HEX_SIZE]);

#endif							/* SW_MD5_H */
