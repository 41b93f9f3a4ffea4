/*-------------------------------------------------------------------------
 *
 * sw_secret.h
 *	  Secrets at rest: sealing with a key ring that is not in the database.
 *
 * AES-256-GCM with a random 12-byte nonce.  The associated data binds a
 * ciphertext to its place (destination id and field name), so a ciphertext
 * moved to another row or column does not open.
 *
 * Key ring file: text, one line a key, "id base64(32 bytes)", newest last;
 * mode 0600, owned by the server's user, else refused.  Newest key seals.
 *
 * Sealed form (bytea): byte version 1 | byte length of key id | key id |
 * 12 nonce | ciphertext | 16 tag.
 *
 * All functions throw; plain texts are palloc'd in the current context, and
 * the caller wipes them with sw_secret_wipe when done.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_SECRET_H
#define SW_SECRET_H

/*
 * Seal plain.  key_file may be relative to the data directory.  When the
 * file does not exist it is made if may_create (the caller knows that no
 * ciphertext exists that a new key could not open), else refused.
 */
extern bytea *sw_secret_seal(const char *key_file, bool may_create,
							 const char *plain, const char *place);

/*
 * Open a sealed secret; place must be what it was sealed with.  Throws
 * 58030/F0000-class errors naming `place` when the key is missing, and
 * data-corrupted when the ciphertext was tampered with.
 */
extern char *sw_secret_open(const char *key_file, const bytea *sealed,
							const char *place);

/* Overwrite a NUL-terminated secret with zeros; NULL is fine. */
extern void sw_secret_wipe(char *plain);

#endif							/* SW_SECRET_H */
