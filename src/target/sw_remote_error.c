/*-------------------------------------------------------------------------
 *
 * sw_remote_error.c
 *	  What an exception of the warehouse means, and what to do about it.
 *
 * The code decides first; where one code stands for several causes, words
 * of the text decide among them, and a gateway's codes 0 to 2 say nothing,
 * so words alone do.  What is in no table is a refusal that a repeat does
 * not cure.
 *
 * The text may quote our statement with the staging key in it: it passes
 * the redactor, and what follows the opening of a load function is dropped
 * before.
 *
 * Source of truth: ErrorCodes.cpp of ClickHouse and ByConity.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "target/sw_quote.h"
#include "target/sw_remote_error.h"

/* A gateway that has nothing better to say uses codes up to this one. */
#define SW_REMOTE_MAX_GATEWAY_CODE		2
/* Internal calls of the warehouse (BRPC_...) that failed. */
#define SW_REMOTE_MIN_INTERNAL_CODE		2005
#define SW_REMOTE_MAX_INTERNAL_CODE		2010

/* Longest text of the warehouse that is shown. */
#define SW_REMOTE_MAX_TEXT_BYTES		300

typedef enum SwRemoteCause
{
	SW_REMOTE_LOGIN,
	SW_REMOTE_ADDRESS,
	SW_REMOTE_RIGHT,
	SW_REMOTE_READ_ONLY,
	SW_REMOTE_DATABASE,
	SW_REMOTE_TABLE,
	SW_REMOTE_MISFIT,
	SW_REMOTE_EDITION,
	SW_REMOTE_WAREHOUSE,
	SW_REMOTE_WORKERS,
	SW_REMOTE_STORE_RIGHT,
	SW_REMOTE_STORE_BUCKET,
	SW_REMOTE_STORE_OBJECT,
	SW_REMOTE_STORE_KEY,
	SW_REMOTE_STORE_URL,
	SW_REMOTE_STORE_OTHER,
	SW_REMOTE_FILE,
	SW_REMOTE_TIME_LIMIT,
	SW_REMOTE_MEMORY,
	SW_REMOTE_DISK,
	SW_REMOTE_PARTS,
	SW_REMOTE_BUSY,
	SW_REMOTE_QUOTA,
	SW_REMOTE_CANCELLED,
	SW_REMOTE_NETWORK,
	SW_REMOTE_CONFLICT,
	SW_REMOTE_OUTCOME,
	SW_REMOTE_REFUSAL
} SwRemoteCause;

/* What a cause means to whoever reads the error. */
typedef struct SwRemoteMeaning
{
	SwStatus	status;
	SwRetry		retry;
	const char *message;
	const char *hint;			/* "" = none */
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
		"Check access key and secret key of the staging store."
	},
	[SW_REMOTE_STORE_URL] = {
		SW_ERR_STORE, SW_RETRY_NEVER,
		"the warehouse may not read from the address of the staging store",
		"Check load_endpoint, or have the host allowed at the warehouse."
	},
	[SW_REMOTE_STORE_OTHER] = {
		SW_ERR_STORE, SW_RETRY_LATER,
		"the warehouse could not read from the staging store",
		""
	},
	[SW_REMOTE_FILE] = {
		SW_ERR_REMOTE, SW_RETRY_NEVER,
		"the warehouse could not understand the staged file",
		""
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
		""
	},
	[SW_REMOTE_PARTS] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"the target table has too many parts or partitions",
		""
	},
	[SW_REMOTE_BUSY] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"the warehouse is too busy",
		""
	},
	[SW_REMOTE_QUOTA] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"a quota of the user is used up at the warehouse",
		""
	},
	[SW_REMOTE_CANCELLED] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"the statement was cancelled at the warehouse",
		""
	},
	[SW_REMOTE_NETWORK] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"parts of the warehouse could not reach each other",
		""
	},
	[SW_REMOTE_CONFLICT] = {
		SW_ERR_REMOTE, SW_RETRY_LATER,
		"the statement collided with another one on the same table",
		""
	},
	[SW_REMOTE_OUTCOME] = {
		SW_ERR_REMOTE, SW_RETRY_UNKNOWN,
		"the warehouse does not know whether the statement took effect",
		""
	},
	[SW_REMOTE_REFUSAL] = {
		SW_ERR_REMOTE, SW_RETRY_NEVER,
		"the warehouse refused the statement",
		""
	}
};

/* The first row that fits counts. */
typedef struct SwRemoteCode
{
	int			code;
	const char *word;			/* the text must contain it, in any case; NULL
								 * = whatever the text */
	SwRemoteCause cause;
} SwRemoteCode;

static const SwRemoteCode sw_remote_codes[] = {
	{516, NULL, SW_REMOTE_LOGIN},
	{192, NULL, SW_REMOTE_LOGIN},
	{193, NULL, SW_REMOTE_LOGIN},
	{194, NULL, SW_REMOTE_LOGIN},
	{195, NULL, SW_REMOTE_ADDRESS},
	{497, NULL, SW_REMOTE_RIGHT},
	{291, NULL, SW_REMOTE_RIGHT},
	{164, NULL, SW_REMOTE_READ_ONLY},

	{81, NULL, SW_REMOTE_DATABASE},
	{60, NULL, SW_REMOTE_TABLE},
	{16, NULL, SW_REMOTE_MISFIT},
	{47, NULL, SW_REMOTE_MISFIT},
	{53, NULL, SW_REMOTE_MISFIT},
	{70, NULL, SW_REMOTE_MISFIT},

	{46, "cnchs3", SW_REMOTE_EDITION},
	{50, "jsonb", SW_REMOTE_EDITION},
	{56, NULL, SW_REMOTE_EDITION},
	{115, "virtual_warehouse", SW_REMOTE_EDITION},

	{36, "vw name", SW_REMOTE_WAREHOUSE},
	{5025, "no worker", SW_REMOTE_WORKERS},
	{5025, NULL, SW_REMOTE_WAREHOUSE},
	{5022, NULL, SW_REMOTE_WORKERS},
	{5040, NULL, SW_REMOTE_WORKERS},
	{5044, NULL, SW_REMOTE_WORKERS},
	{5047, NULL, SW_REMOTE_WORKERS},
	{5048, NULL, SW_REMOTE_WORKERS},
	{7102, NULL, SW_REMOTE_WORKERS},
	{7103, NULL, SW_REMOTE_WORKERS},
	{7104, NULL, SW_REMOTE_WORKERS},
	{7105, NULL, SW_REMOTE_WORKERS},
	{7106, NULL, SW_REMOTE_WORKERS},
	{7107, NULL, SW_REMOTE_WORKERS},
	{7108, NULL, SW_REMOTE_WORKERS},

	{499, "accessdenied", SW_REMOTE_STORE_RIGHT},
	{499, "nosuchbucket", SW_REMOTE_STORE_BUCKET},
	{499, "nosuchkey", SW_REMOTE_STORE_OBJECT},
	{499, "invalidaccesskeyid", SW_REMOTE_STORE_KEY},
	{499, "signaturedoesnotmatch", SW_REMOTE_STORE_KEY},
	{499, "invalidpathaccess", SW_REMOTE_STORE_URL},
	{499, NULL, SW_REMOTE_STORE_OTHER},
	{882, NULL, SW_REMOTE_STORE_OBJECT},
	{107, NULL, SW_REMOTE_STORE_OBJECT},
	{491, NULL, SW_REMOTE_STORE_URL},

	{6, NULL, SW_REMOTE_FILE},
	{26, NULL, SW_REMOTE_FILE},
	{27, NULL, SW_REMOTE_FILE},
	{33, NULL, SW_REMOTE_FILE},
	{72, NULL, SW_REMOTE_FILE},
	{117, NULL, SW_REMOTE_FILE},

	{159, NULL, SW_REMOTE_TIME_LIMIT},
	{160, NULL, SW_REMOTE_BUSY},
	{202, NULL, SW_REMOTE_BUSY},
	{201, NULL, SW_REMOTE_QUOTA},
	{241, NULL, SW_REMOTE_MEMORY},
	{243, NULL, SW_REMOTE_DISK},
	{252, NULL, SW_REMOTE_PARTS},
	{394, NULL, SW_REMOTE_CANCELLED},
	{198, NULL, SW_REMOTE_NETWORK},
	{209, NULL, SW_REMOTE_NETWORK},
	{210, NULL, SW_REMOTE_NETWORK},
	{473, NULL, SW_REMOTE_CONFLICT},
	{8070, NULL, SW_REMOTE_CONFLICT},
	{11002, NULL, SW_REMOTE_CONFLICT},
	{11008, NULL, SW_REMOTE_CONFLICT},
	{11003, NULL, SW_REMOTE_OUTCOME},
	{11005, NULL, SW_REMOTE_OUTCOME},

	/* What gateways say, whatever their code. */
	{SW_REMOTE_MAX_GATEWAY_CODE, "warehouse", SW_REMOTE_WAREHOUSE},
	{SW_REMOTE_MAX_GATEWAY_CODE, "authenticat", SW_REMOTE_LOGIN},
	{SW_REMOTE_MAX_GATEWAY_CODE, "password", SW_REMOTE_LOGIN},
	{SW_REMOTE_MAX_GATEWAY_CODE, "api key", SW_REMOTE_LOGIN},
	{SW_REMOTE_MAX_GATEWAY_CODE, "privilege", SW_REMOTE_RIGHT},
	{SW_REMOTE_MAX_GATEWAY_CODE, "permission", SW_REMOTE_RIGHT}
};

/* Does text contain word (in lower case), in any case? */
static bool
sw_remote_contains(const char *text, const char *word)
{
	Size		len = strlen(word);

	for (; *text != '\0'; text++)
		if (pg_strncasecmp(text, word, len) == 0)
			return true;
	return false;
}

static SwRemoteCause
sw_remote_find_cause(int code, const char *text)
{
	int			i;

	if (code >= SW_REMOTE_MIN_INTERNAL_CODE &&
		code <= SW_REMOTE_MAX_INTERNAL_CODE)
		return SW_REMOTE_NETWORK;
	if (code >= 0 && code <= SW_REMOTE_MAX_GATEWAY_CODE)
		code = SW_REMOTE_MAX_GATEWAY_CODE;
	for (i = 0; i < (int) lengthof(sw_remote_codes); i++)
	{
		const SwRemoteCode *row = &sw_remote_codes[i];

		if (row->code == code &&
			(row->word == NULL || sw_remote_contains(text, row->word)))
			return row->cause;
	}
	return SW_REMOTE_REFUSAL;
}

/* The text up to the arguments of a load function, redacted. */
static char *
sw_remote_safe_text(const SwRedactor *redactor, const char *text,
					Size max_bytes)
{
	const char *call = strstr(text, "CnchS3('");
	Size		len = strlen(text);

	if (call != NULL)
		len = (Size) (call - text) + strlen("CnchS3(");
	return sw_redact(redactor, text, len, max_bytes);
}

/*
 * The GRANT that helps, from "... grant INSERT(a, b) ON db.t ..."; false if
 * the text has no such words.
 */
static bool
sw_remote_write_grant(const char *text, const char *grantee, StringInfo grant)
{
	const char *rights = strstr(text, "grant ");
	const char *on = rights == NULL ? NULL : strstr(rights, " ON ");
	const char *c;
	int			depth = 0;

	if (on == NULL)
		return false;
	rights += strlen("grant ");

	/* Reading staged objects takes two rights, refused one by one. */
	if (strncmp(rights, "S3", 2) == 0 ||
		strncmp(rights, "CREATE TEMPORARY TABLE", 22) == 0)
		appendStringInfoString(grant,
							   "GRANT S3, CREATE TEMPORARY TABLE ON *.*");
	else
	{
		appendStringInfoString(grant, "GRANT ");
		/* Rights on single columns are asked for on all of them. */
		for (c = rights; c < on; c++)
		{
			depth += *c == '(' ? 1 : 0;
			if (depth == 0)
				appendStringInfoChar(grant, *c);
			depth -= *c == ')' ? 1 : 0;
		}
		appendStringInfoString(grant, " ON ");
		for (c = on + strlen(" ON ");
			 *c != '\0' && strchr(" ,;()'", *c) == NULL; c++)
			appendStringInfoChar(grant, *c);
		/* The full stop of the sentence. */
		if (grant->data[grant->len - 1] == '.')
			grant->data[--grant->len] = '\0';
	}
	appendStringInfoString(grant, " TO ");
	if (grantee != NULL && grantee[0] != '\0')
		sw_quote_append_name(grant, grantee);
	else
		appendStringInfoString(grant, "<role>");
	return true;
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
