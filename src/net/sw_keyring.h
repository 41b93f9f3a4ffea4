/*-------------------------------------------------------------------------
 *
 * sw_keyring.h
 *	  The key ring file: keys that seal secrets, kept outside the database.
 *
 * Form and rules of the file: net/sw_secret.h.  All functions throw, with
 * CONFIG_FILE_ERROR for what the administrator has to put right; a message
 * never shows a line of the file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_KEYRING_H
#define SW_KEYRING_H

#define SW_KEY_BYTES		32
#define SW_KEY_ID_MAX		64	/* characters [A-Za-z0-9_-] */

/* Wipe with explicit_bzero or the like when done. */
typedef struct SwKey
{
	char		id[SW_KEY_ID_MAX + 1];
	uint8		bytes[SW_KEY_BYTES];
} SwKey;

/*
 * The newest key of the ring.  When the file does not exist it is made, with
 * one random key, if may_create; else refused.  Two sessions that do this at
 * the same time end up with the same file.
 */
extern void sw_keyring_get_newest(const char *key_file, bool may_create,
								  SwKey *key_out);

/*
 * The key with this id; false when the ring does not hold it.  Throws when
 * there is no file.
 */
extern bool sw_keyring_find(const char *key_file, const char *id,
							SwKey *key_out);

#endif							/* SW_KEYRING_H */
