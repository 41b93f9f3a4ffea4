/*-------------------------------------------------------------------------
 *
 * sw_keyring.c
 *	  The key ring file: keys that seal secrets, kept outside the database.
 *
 * Text, one key a line: "id base64(32 bytes)", newest last.  Empty lines and
 * lines that begin with '#' are skipped.  The file must be a regular file,
 * owned by the server's user and closed to everybody else: a file that
 * others may read or write protects nothing, so it is refused rather than
 * warned about.
 *
 * A new file appears whole or not at all: it is written under another name
 * (O_EXCL, fsync), then linked to its own, which fails if the name exists by
 * now.  A rename would replace the file of a session that was faster, and
 * with it the only key to what that session sealed.
 *
 * Read at each use, so an edited file counts at once.  Works inside and
 * outside a transaction; files are closed before anything is thrown.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base64.h"
#include "miscadmin.h"
#include "storage/fd.h"

#include "net/sw_keyring.h"

#define SW_KEYRING_MAX_BYTES (64 * 1024)
#define SW_KEY_ID_NEW_BYTES 8	/* random bytes in the id of a new key */

/* One key in base64, with room for the terminator. */
#define SW_KEY_BASE64_SIZE	48

/* In the data directory, where a server process is at home. */
#define SW_KEY_MARKER "sensorswave_export.key_made"

static char *
sw_keyring_make_absolute(const char *key_file)
{
	if (is_absolute_path(key_file))
		return pstrdup(key_file);
	return psprintf("%s/%s", DataDir, key_file);
}

/* Only the server's user can read or write it, and it is of a sane size. */
static bool
sw_keyring_is_acceptable(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
		(st->st_mode & (S_IRWXG | S_IRWXO)) == 0 &&
		st->st_size <= SW_KEYRING_MAX_BYTES;
}

/* Does not return. */
static void
sw_keyring_throw_unacceptable_file(const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" is not a regular file", path)));
	if (st->st_uid != geteuid())
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" is not owned by the database server's user",
						path),
				 errhint("Change its owner with chown.")));
	if (st->st_mode & (S_IRWXG | S_IRWXO))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" has group or world access", path),
				 errdetail("Its permissions are %04o.",
						   (unsigned int) (st->st_mode & 07777)),
				 errhint("Run \"chmod 0600 %s\".", path)));
	ereport(ERROR,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("key file \"%s\" is larger than %d bytes",
					path, SW_KEYRING_MAX_BYTES)));
}

/*
 * The file's bytes, NUL-terminated; NULL when it does not exist.  The caller
 * wipes them.
 */
static char *
sw_keyring_read_file(const char *path, Size *len_out)
{
	char	   *content = palloc(SW_KEYRING_MAX_BYTES + 1);
	Size		len = 0;
	int			fd;
	int			save_errno;
	struct stat st;
	bool		failed;

	fd = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	if (fd < 0)
	{
		pfree(content);
		if (errno == ENOENT)
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("could not open key file \"%s\": %m", path)));
	}

	failed = fstat(fd, &st) != 0;
	if (!failed && !sw_keyring_is_acceptable(&st))
	{
		CloseTransientFile(fd);
		sw_keyring_throw_unacceptable_file(path, &st);
	}
	while (!failed && len < SW_KEYRING_MAX_BYTES)
	{
		ssize_t		n = read(fd, content + len, SW_KEYRING_MAX_BYTES - len);

		if (n == 0)
			break;
		if (n > 0)
			len += n;
		else if (errno != EINTR)
			failed = true;
	}
	save_errno = errno;
	CloseTransientFile(fd);
	if (failed)
	{
		explicit_bzero(content, len);
		errno = save_errno;
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("could not read key file \"%s\": %m", path)));
	}
	content[len] = '\0';
	*len_out = len;
	return content;
}

/* Parse "id base64" of n bytes into *key; false when it is not that. */
static bool
sw_keyring_parse_line(const char *line, Size n, SwKey *key)
{
	static const char id_characters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	Size		id_len = strspn(line, id_characters);
	const char *encoded;
	Size		encoded_len;
	uint8		bytes[SW_KEY_BYTES + 4];
	int			n_bytes;

	if (id_len == 0 || id_len > SW_KEY_ID_MAX || id_len >= n ||
		line[id_len] != ' ')
		return false;
	encoded = line + id_len + 1;
	encoded_len = n - id_len - 1;
	if (encoded_len >= SW_KEY_BASE64_SIZE)
		return false;

	n_bytes = pg_b64_decode((const void *) encoded, (int) encoded_len,
							(void *) bytes, sizeof(bytes));
	if (n_bytes == SW_KEY_BYTES)
	{
		memcpy(key->id, line, id_len);
		key->id[id_len] = '\0';
		memcpy(key->bytes, bytes, SW_KEY_BYTES);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return n_bytes == SW_KEY_BYTES;
}

/*
 * Look through the ring: the key with this id, or the last one when id is
 * NULL.  Returns the number of the line that is malformed, or 0.
 */
static int
sw_keyring_scan_ring(const char *content, const char *id, SwKey *key_out, bool *found)
{
	const char *line = content;
	int			line_number = 0;
	SwKey		key;
	int			malformed_line = 0;

	*found = false;
	while (*line != '\0' && malformed_line == 0)
	{
		Size		n = strcspn(line, "\n");
		Size		n_text = n;

		line_number++;
		while (n_text > 0 && (line[n_text - 1] == '\r' ||
							  line[n_text - 1] == ' '))
			n_text--;
		if (n_text > 0 && line[0] != '#')
		{
			if (!sw_keyring_parse_line(line, n_text, &key))
				malformed_line = line_number;
			else if (id == NULL || strcmp(key.id, id) == 0)
			{
				*key_out = key;
				*found = true;
			}
		}
		line += n;
		if (*line == '\n')
			line++;
	}
	explicit_bzero(&key, sizeof(key));
	return malformed_line;
}

/* Read and search the file; false when there is none. */
static bool
sw_keyring_search_file(const char *path, const char *id, SwKey *key_out, bool *found)
{
	Size		len;
	char	   *content = sw_keyring_read_file(path, &len);
	int			malformed_line;
	bool		has_nul;

	if (content == NULL)
		return false;
	has_nul = strlen(content) != len;
	malformed_line = sw_keyring_scan_ring(content, id, key_out, found);
	explicit_bzero(content, len);
	pfree(content);
	if (malformed_line != 0 || has_nul)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" is malformed", path),
				 has_nul ? errdetail("It holds a zero byte.") :
				 errdetail("Line %d is not a key id, a blank and %d bytes in base64.",
						   malformed_line, SW_KEY_BYTES)));
	return true;
}

/* Write all of a new file and bring it to disk.  Returns success. */
static bool
sw_keyring_write_new_file(const char *path, const char *text)
{
	Size		len = strlen(text);
	bool		done;
	int			save_errno;
	int			fd;

	fd = OpenTransientFilePerm(path, O_WRONLY | O_CREAT | O_EXCL | PG_BINARY,
							   S_IRUSR | S_IWUSR);
	if (fd < 0)
		return false;
	errno = 0;
	done = write(fd, text, len) == (ssize_t) len;
	if (!done && errno == 0)
		errno = ENOSPC;
	done = done && pg_fsync(fd) == 0;
	save_errno = errno;
	if (CloseTransientFile(fd) != 0 && done)
		return false;
	errno = save_errno;
	return done;
}

/* Make the file with one random key, unless somebody else does first. */
static void
sw_keyring_create_file(const char *path)
{
	uint8		random_id[SW_KEY_ID_NEW_BYTES];
	uint8		random_key[SW_KEY_BYTES];
	char		text[SW_KEY_ID_NEW_BYTES * 2 + 1 + SW_KEY_BASE64_SIZE + 1];
	char	   *new_path;
	char	   *directory;
	int			len = 0;
	int			n_encoded;
	int			save_errno;
	bool		done;

	if (!pg_strong_random(random_id, sizeof(random_id)) ||
		!pg_strong_random(random_key, sizeof(random_key)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random key")));

	/* The name is random, so a leftover of a crash is in nobody's way. */
	new_path = psprintf("%s.%d.%02x%02x.tmp", path, MyProcPid,
						random_id[0], random_id[1]);
	directory = pstrdup(path);
	get_parent_directory(directory);

	for (int i = 0; i < SW_KEY_ID_NEW_BYTES; i++)
		len += snprintf(text + len, sizeof(text) - len, "%02x", random_id[i]);
	text[len++] = ' ';
	n_encoded = pg_b64_encode((const void *) random_key, sizeof(random_key),
							  text + len, SW_KEY_BASE64_SIZE);
	Assert(n_encoded > 0);
	len += n_encoded;
	text[len++] = '\n';
	text[len] = '\0';

	done = sw_keyring_write_new_file(new_path, text) &&
		(link(new_path, path) == 0 || errno == EEXIST);
	save_errno = errno;
	explicit_bzero(text, sizeof(text));
	explicit_bzero(random_key, sizeof(random_key));
	unlink(new_path);
	if (!done)
	{
		errno = save_errno;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create key file \"%s\": %m", path)));
	}
	fsync_fname(directory, true);
}

/*
 * The key file serves the whole cluster, but a session sees the secrets of
 * one database only.  So a cluster that has had a key file remembers: a new
 * one is not made in the place of one that is merely missing.
 */
static void
sw_keyring_refuse_second(const char *path)
{
	struct stat st;

	if (stat(SW_KEY_MARKER, &st) != 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("key file \"%s\" does not exist", path),
			 errdetail("This cluster has had a key file; secrets of other databases may need it."),
			 errhint("Restore the file, with mode 0600 and owned by the server's user. "
					 "If it is lost for good, remove \"%s\" in the data directory; a new key file is made then.",
					 SW_KEY_MARKER)));
}

static void
sw_keyring_remember(const char *path)
{
	struct stat st;

	if (stat(SW_KEY_MARKER, &st) == 0)
		return;
	if (!sw_keyring_write_new_file(SW_KEY_MARKER, "A key file was made for this cluster.\n") &&
		errno != EEXIST)
		ereport(WARNING,
				(errcode_for_file_access(),
				 errmsg("could not create file \"%s\": %m", SW_KEY_MARKER),
				 errdetail("It remembers that key file \"%s\" was made.", path)));
}

/* Does not return. */
static void
sw_keyring_throw_missing_file(const char *path)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("key file \"%s\" does not exist", path),
			 errdetail("It holds the keys that open the secrets of the destinations; they are not in the database."),
			 errhint("Restore the file from its backup, with mode 0600 and owned by the server's user. "
					 "If it is lost, clear the secrets of all destinations by setting them to 'none', then enter them again.")));
}

void
sw_keyring_get_newest(const char *key_file, bool may_create, SwKey *key_out)
{
	char	   *path = sw_keyring_make_absolute(key_file);
	bool		found = false;

	if (!sw_keyring_search_file(path, NULL, key_out, &found))
	{
		if (!may_create)
			sw_keyring_throw_missing_file(path);
		sw_keyring_refuse_second(path);
		sw_keyring_create_file(path);
		sw_keyring_remember(path);
		if (!sw_keyring_search_file(path, NULL, key_out, &found))
			sw_keyring_throw_missing_file(path);
	}
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" holds no key", path)));
	pfree(path);
}

bool
sw_keyring_find(const char *key_file, const char *id, SwKey *key_out)
{
	char	   *path = sw_keyring_make_absolute(key_file);
	bool		found = false;

	if (!sw_keyring_search_file(path, id, key_out, &found))
		sw_keyring_throw_missing_file(path);
	pfree(path);
	return found;
}
