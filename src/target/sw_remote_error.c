/*-------------------------------------------------------------------------
 *
 * sw_remote_error.c
 *	  What an exception of the warehouse means, and what to do about it.
 *
 * The text may quote our statement with the staging key in it: it passes
 * the redactor, and what follows the opening of a load function is dropped
 * before.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "lib/stringinfo.h"

#include "target/sw_remote_code.h"
#include "target/sw_remote_error.h"

/* Longest text of the warehouse that is shown. */
#define SW_REMOTE_MAX_TEXT_BYTES		300

/* What a cause means to whoever reads the error. */
typedef struct SwRemoteMeaning
{
	SwStatus	status;
	SwRetry		retry;
	const char *message;
	const char *hint;			/* right for runs, which are tried again, and
								 * for errands, which are not */
} SwRemoteMeaning;

static const SwRemoteMeaning sw_remote_meanings[] = {
	[SW_REMOTE_LOGIN] = {
		SW_ERR_AUTH, SW_RETRY_NEVER,
		"the warehouse refused the login",
		"Check account id, user name and password, or the API key: it "
		"expires and must be renewed in the console."
	},
	[SW_REMOTE_ADDRESS] = {
		SW_ERR_AUTH, SW_RETRY_NEVER,
		"the warehouse does not accept connections from this address",
		"Add the address of this server to the warehouse's allow list."
	},
	[SW_REMOTE_RIGHT] = {
		SW_ERR_DENIED, SW_RETRY_NEVER,
		"a right is missing at the warehouse",
		"Grant the user the rights that the manual lists."
	},
	[SW_REMOTE_READ_ONLY] = {
		SW_ERR_DENIED, SW_RETRY_NEVER,
		"the user may only read at the warehouse",
		"Use a user that may write."
	},
	[SW_REMOTE_DATABASE] = {
		SW_ERR_MISSING, SW_RETRY_NEVER,
		"the database does not exist at the warehouse",
		"Create the database, or correct its name."
	},
	[SW_REMOTE_TABLE] = {
		SW_ERR_MISSING, SW_RETRY_NEVER,
		"the target table does not exist",
		"Somebody dropped or renamed it. Restore it."
	},
	[SW_REMOTE_MISFIT] = {
		SW_ERR_REMOTE, SW_RETRY_NEVER,
		"the target table does not fit the statement",
		"Compare the columns of the target table with those of the pipeline."
	},
	[SW_REMOTE_VALUE] = {
		SW_ERR_REMOTE, SW_RETRY_NEVER,
		"a value does not fit its type at the warehouse",
		"Give the column another type, map it to an expression without such "
		"values, or leave such rows out with row_filter."
	},
	[SW_REMOTE_NEWER] = {
		SW_ERR_UNSUPPORTED, SW_RETRY_NEVER,
		"the warehouse does not know what the statement needs",
		"With json_type \"json\" that is ClickHouse 25.3 or later. Otherwise "
		"report this with the version of the warehouse."
	},
	[SW_REMOTE_PROTOCOL] = {
		SW_ERR_PROTOCOL, SW_RETRY_NEVER,
		"the warehouse did not understand what was sent",
		"Check that nothing between here and the warehouse alters the "
		"connection."
	},
	[SW_REMOTE_KEY] = {
		SW_ERR_REMOTE, SW_RETRY_NEVER,
		"the warehouse refused a row because of its key",
		"Key values must not be longer than the warehouse allows, and the "
		"table must let a row replace another."
	},
	[SW_REMOTE_TABLE_THERE] = {
		SW_ERR_REMOTE, SW_RETRY_NEVER,
		"a table of that name is already at the warehouse",
		"Rename what is there, or choose another target_table."
	},
	[SW_REMOTE_EDITION] = {
		SW_ERR_UNSUPPORTED, SW_RETRY_NEVER,
		"the server is not a ByteHouse cloud data warehouse",
		"Kind \"bytehouse\" needs ByteHouse Cloud (CDW), neither the "
		"enterprise edition nor ClickHouse."
	},
	[SW_REMOTE_WAREHOUSE] = {
		SW_ERR_MISSING, SW_RETRY_NEVER,
		"the virtual warehouse does not exist or may not be used",
		"Set virtual_warehouse to the id shown in the console "
		"(vw-<account>-<name>) and check that the user may use it."
	},
	[SW_REMOTE_WORKERS] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"the virtual warehouse has no worker for us now",
		"It may be starting or being resized."
	},
	[SW_REMOTE_STORE_RIGHT] = {
		SW_ERR_STORE, SW_RETRY_NEVER,
		"the warehouse could not read the staged object",
		"The access key needs GetObject on the staging prefix."
	},
	[SW_REMOTE_STORE_BUCKET] = {
		SW_ERR_STORE, SW_RETRY_NEVER,
		"the warehouse could not find the staging bucket",
		"Check bucket and region of the staging store."
	},
	[SW_REMOTE_STORE_OBJECT] = {
		SW_ERR_STORE, SW_RETRY_NEVER,
		"the warehouse could not find the staged object",
		"Check access key and secret key, that the key has GetObject on the "
		"staging prefix, and that no lifecycle rule deletes staged objects."
	},
	[SW_REMOTE_STORE_KEY] = {
		SW_ERR_STORE, SW_RETRY_NEVER,
		"the staging store refused the warehouse's access",
		"Check access key and secret key of the staging store; the key needs "
		"GetObject on the staging prefix."
	},
	[SW_REMOTE_STORE_URL] = {
		SW_ERR_STORE, SW_RETRY_NEVER,
		"the warehouse may not read from the address of the staging store",
		"Check stage_load_endpoint, or have the host allowed at the warehouse."
	},
	[SW_REMOTE_STORE_OTHER] = {
		SW_ERR_STORE, SW_RETRY_LATER,
		"the warehouse could not read from the staging store",
		"It may pass by itself. If it stays, check endpoint and bucket "
		"of the staging store, and the warehouse's way to it."
	},
	[SW_REMOTE_FILE] = {
		SW_ERR_REMOTE, SW_RETRY_NEVER,
		"the warehouse could not understand the staged file",
		"Report this with the version of the warehouse."
	},
	[SW_REMOTE_TIME_LIMIT] = {
		SW_ERR_TIMEOUT, SW_RETRY_LATER,
		"the statement ran into its time limit at the warehouse",
		"Raise statement_timeout, or use a larger virtual warehouse."
	},
	[SW_REMOTE_MEMORY] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"the warehouse ran out of memory for the statement",
		"Use a larger virtual warehouse."
	},
	[SW_REMOTE_DISK] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"the warehouse ran out of disk space",
		"Free or add disk space at the warehouse."
	},
	[SW_REMOTE_PARTS] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"the target table has too many parts or partitions",
		"Let merges at the warehouse catch up, or load less often."
	},
	[SW_REMOTE_BUSY] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"the warehouse is too busy",
		"It may pass by itself. If it stays, use a larger virtual "
		"warehouse."
	},
	[SW_REMOTE_QUOTA] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"a quota of the user is used up at the warehouse",
		"Raise the user's quota at the warehouse, or wait until it is renewed."
	},
	[SW_REMOTE_CANCELLED] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"the statement was cancelled at the warehouse",
		"Find out who cancels statements at the warehouse."
	},
	[SW_REMOTE_NETWORK] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"parts of the warehouse could not reach each other",
		"It may pass by itself. If it stays, see the state of the "
		"warehouse in its console."
	},
	[SW_REMOTE_CONFLICT] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"the statement collided with another one on the same table",
		"It may pass by itself. Nothing else should write to the target "
		"table."
	},
	[SW_REMOTE_OUTCOME] = {
		SW_ERR_REMOTE, SW_RETRY_UNKNOWN,
		"the warehouse does not know whether the statement took effect",
		"Doing it again gives the right result, whatever happened."
	},
	[SW_REMOTE_REFUSAL] = {
		SW_ERR_REMOTE, SW_RETRY_NEVER,
		"the warehouse refused the statement",
		"See the manual of the warehouse for this code. If that does not "
		"help, report it with the version of the warehouse."
	}
};

/* The text up to the arguments of a load function, redacted. */
static char *
sw_remote_safe_text(const SwRedactor *redactor, const char *text,
					Size max_bytes)
{
	static const char *const calls[] = {"CnchS3('", "s3('"};
	Size		len = strlen(text);
	int			i;

	for (i = 0; i < (int) lengthof(calls); i++)
	{
		const char *call = strstr(text, calls[i]);

		if (call != NULL)
			len = Min(len, (Size) (call - text) + strlen(calls[i]) - 1);
	}
	return sw_redact(redactor, text, len, max_bytes);
}

SwStatus
sw_remote_error_set(SwError *err, const SwChException *exception,
					const SwRedactor *redactor, const char *grantee)
{
	int			code = exception->code;
	const char *message = exception->message;
	SwRemoteCause cause = sw_remote_find_cause(code, message);
	const SwRemoteMeaning *meaning;
	char	   *text;

	/* An outer exception that says nothing to us may wrap one that does. */
	if (cause == SW_REMOTE_REFUSAL && exception->n_nested > 0)
	{
		code = exception->nested_code;
		message = exception->nested_message;
		cause = sw_remote_find_cause(code, message);
	}
	meaning = &sw_remote_meanings[cause];

	text = sw_remote_safe_text(redactor, message, SW_REMOTE_MAX_TEXT_BYTES);
	sw_error_set(err, meaning->status, meaning->retry, "%s",
				 meaning->message);
	err->remote_code = code;
	sw_error_set_detail(err, "The warehouse says (code %d): %s", code, text);
	sw_error_set_hint(err, "%s", meaning->hint);
	pfree(text);

	if (cause == SW_REMOTE_RIGHT)
	{
		StringInfoData grant;

		initStringInfo(&grant);
		text = sw_remote_safe_text(redactor, message, sizeof(err->hint));
		if (sw_remote_write_grant(text, grantee, &grant))
			sw_error_set_hint(err,
							  "Run at the warehouse as an administrator: %s",
							  grant.data);
		pfree(text);
		pfree(grant.data);
	}
	return err->status;
}

static bool
sw_remote_is_cause(const SwError *err, SwRemoteCause cause)
{
	return strcmp(err->message, sw_remote_meanings[cause].message) == 0;
}

SwStatus
sw_remote_error_set_edition(SwError *err)
{
	const SwRemoteMeaning *meaning = &sw_remote_meanings[SW_REMOTE_EDITION];

	sw_error_set(err, meaning->status, meaning->retry, "%s",
				 meaning->message);
	sw_error_set_hint(err, "%s", meaning->hint);
	return err->status;
}

bool
sw_remote_error_is_table(const SwError *err)
{
	return sw_remote_is_cause(err, SW_REMOTE_TABLE);
}

bool
sw_remote_error_is_warehouse(const SwError *err)
{
	return sw_remote_is_cause(err, SW_REMOTE_WAREHOUSE);
}

bool
sw_remote_error_is_starting(const SwError *err)
{
	return sw_remote_is_cause(err, SW_REMOTE_WORKERS);
}
