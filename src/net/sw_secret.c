/*-------------------------------------------------------------------------
 *
 * sw_secret.c
 *	  Secrets at rest: sealing with a key ring that is not in the database.
 *
 * The only file that names OpenSSL's ciphers.  The sealed form and the rules
 * are in net/sw_secret.h; what is authenticated besides the secret is
 *
 *	  version | length of key id | key id | place
 *
 * so neither the header nor the row and column can be exchanged.
 *
 * Keys are wiped before a function returns or throws.  Nothing is thrown
 * while a cipher context is alive.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "net/sw_keyring.h"
#include "net/sw_secret.h"
#include "port/sw_compat.h"

#define SW_SEALED_VERSION	1
#define SW_NONCE_BYTES		12
#define SW_TAG_BYTES		16

/* Far above any password, far below what an int can count. */
#define SW_SECRET_MAX_BYTES (64 * 1024)

/* The parts of a sealed secret, pointing into it. */
typedef struct SwSealedParts
{
	const uint8 *header;		/* version, length of key id, key id */
	int			n_header;
	const uint8 *nonce;
	const uint8 *ciphertext;
	int			n_ciphertext;
	const uint8 *tag;
	char		key_id[SW_KEY_ID_MAX + 1];
} SwSealedParts;

/* Encrypt n bytes and write the tag.  Returns success; does not throw. */
static bool
sw_secret_encrypt(const SwKey *key, const uint8 *nonce, const uint8 *header,
				  int n_header, const char *place, const uint8 *plain, int n,
				  uint8 *ciphertext, uint8 *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int			n_out = 0;
	bool		done;

	done = ctx != NULL &&
		EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes,
						   nonce) == 1 &&
		EVP_EncryptUpdate(ctx, NULL, &n_out, header, n_header) == 1 &&
		EVP_EncryptUpdate(ctx, NULL, &n_out, (const uint8 *) place,
						  (int) strlen(place)) == 1 &&
		(n == 0 ||
		 EVP_EncryptUpdate(ctx, ciphertext, &n_out, plain, n) == 1) &&
		EVP_EncryptFinal_ex(ctx, ciphertext + n, &n_out) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, SW_TAG_BYTES,
							tag) == 1;
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return done;
}

/* The reverse; false also when the tag does not fit. */
static bool
sw_secret_decrypt(const SwKey *key, const SwSealedParts *parts, const char *place,
				  uint8 *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8		tag[SW_TAG_BYTES];
	int			n_out = 0;
	bool		done;

	memcpy(tag, parts->tag, SW_TAG_BYTES);
	done = ctx != NULL &&
		EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes,
						   parts->nonce) == 1 &&
		EVP_DecryptUpdate(ctx, NULL, &n_out, parts->header,
						  parts->n_header) == 1 &&
		EVP_DecryptUpdate(ctx, NULL, &n_out, (const uint8 *) place,
						  (int) strlen(place)) == 1 &&
		(parts->n_ciphertext == 0 ||
		 EVP_DecryptUpdate(ctx, plain, &n_out, parts->ciphertext,
						   parts->n_ciphertext) == 1) &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, SW_TAG_BYTES,
							tag) == 1 &&
		EVP_DecryptFinal_ex(ctx, plain + parts->n_ciphertext, &n_out) == 1;
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return done;
}

/* Take a sealed secret apart; false when it is not one. */
static bool
sw_secret_split_sealed(const bytea *sealed, SwSealedParts *parts)
{
	const uint8 *data = (const uint8 *) VARDATA_ANY(sealed);
	Size		len = VARSIZE_ANY_EXHDR(sealed);
	Size		n_id;

	if (len < 2 || data[0] != SW_SEALED_VERSION)
		return false;
	n_id = data[1];
	if (n_id == 0 || n_id > SW_KEY_ID_MAX ||
		len < 2 + n_id + SW_NONCE_BYTES + SW_TAG_BYTES ||
		len > 2 + n_id + SW_NONCE_BYTES + SW_TAG_BYTES + SW_SECRET_MAX_BYTES)
		return false;

	parts->header = data;
	parts->n_header = (int) (2 + n_id);
	memcpy(parts->key_id, data + 2, n_id);
	parts->key_id[n_id] = '\0';
	parts->nonce = data + parts->n_header;
	parts->ciphertext = parts->nonce + SW_NONCE_BYTES;
	parts->n_ciphertext = (int) (len - parts->n_header - SW_NONCE_BYTES -
								 SW_TAG_BYTES);
	parts->tag = parts->ciphertext + parts->n_ciphertext;
	return true;
}

/* Whatever goes wrong below, the error says which secret it is about. */
static void
sw_secret_add_error_context(void *arg)
{
	errcontext("secret \"%s\"", (const char *) arg);
}

bytea *
sw_secret_seal(const char *key_file, bool may_create, const char *plain,
			   const char *place)
{
	Size		n_plain = strlen(plain);
	Size		n_id;
	Size		n_sealed;
	SwKey		key;
	bytea	   *sealed;
	uint8	   *header;
	uint8	   *nonce;
	bool		done;
	ErrorContextCallback context;

	if (n_plain > SW_SECRET_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("secret \"%s\" is longer than %d bytes",
						place, SW_SECRET_MAX_BYTES)));
	sealed = palloc(VARHDRSZ + 2 + SW_KEY_ID_MAX + SW_NONCE_BYTES + n_plain +
					SW_TAG_BYTES);

	context.callback = sw_secret_add_error_context;
	context.arg = unconstify(char *, place);
	context.previous = error_context_stack;
	error_context_stack = &context;
	sw_keyring_get_newest(key_file, may_create, &key);
	error_context_stack = context.previous;

	n_id = strlen(key.id);
	n_sealed = 2 + n_id + SW_NONCE_BYTES + n_plain + SW_TAG_BYTES;
	SET_VARSIZE(sealed, VARHDRSZ + n_sealed);
	header = (uint8 *) VARDATA(sealed);
	header[0] = SW_SEALED_VERSION;
	header[1] = (uint8) n_id;
	memcpy(header + 2, key.id, n_id);
	nonce = header + 2 + n_id;

	done = pg_strong_random(nonce, SW_NONCE_BYTES) &&
		sw_secret_encrypt(&key, nonce, header, (int) (2 + n_id), place,
						  (const uint8 *) plain, (int) n_plain, nonce + SW_NONCE_BYTES,
						  nonce + SW_NONCE_BYTES + n_plain);
	OPENSSL_cleanse(&key, sizeof(key));
	if (!done)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not encrypt secret \"%s\"", place)));
	return sealed;
}

char *
sw_secret_open(const char *key_file, const bytea *sealed, const char *place)
{
	SwSealedParts parts;
	SwKey		key;
	char	   *plain;
	bool		found;
	bool		done;
	ErrorContextCallback context;

	if (!sw_secret_split_sealed(sealed, &parts))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored secret \"%s\" is malformed", place),
				 errhint("Enter the secret again.")));
	plain = palloc(parts.n_ciphertext + 1);

	context.callback = sw_secret_add_error_context;
	context.arg = unconstify(char *, place);
	context.previous = error_context_stack;
	error_context_stack = &context;
	found = sw_keyring_find(key_file, parts.key_id, &key);
	error_context_stack = context.previous;
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" does not hold the key of secret \"%s\"",
						key_file, place),
				 errdetail("The secret was sealed with key \"%s\".",
						   parts.key_id),
				 errhint("Restore the key file that holds this key, or enter the secret again.")));

	done = sw_secret_decrypt(&key, &parts, place, (uint8 *) plain);
	OPENSSL_cleanse(&key, sizeof(key));
	if (!done)
	{
		OPENSSL_cleanse(plain, parts.n_ciphertext);
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("could not decrypt secret \"%s\"", place),
				 errdetail("The stored value was changed, moved from another row or column, or sealed with another key of the same name."),
				 errhint("Enter the secret again.")));
	}
	plain[parts.n_ciphertext] = '\0';
	return plain;
}

void
sw_secret_wipe(char *plain)
{
	if (plain != NULL)
		OPENSSL_cleanse(plain, strlen(plain));
}
