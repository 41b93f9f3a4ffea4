/*-------------------------------------------------------------------------
 *
 * sw_remote_code.c
 *	  What an exception of the warehouse is about, by its code and words.
 *
 * The code decides first; where one code stands for several causes, words
 * of the text decide among them, and a gateway's codes 0 to 2 say nothing,
 * so words alone do.  What is in no table is a refusal that a repeat does
 * not cure.
 *
 * Source of truth: ErrorCodes.cpp of ClickHouse and ByConity.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "target/sw_remote_code.h"

/* A gateway that has nothing better to say uses codes up to this one. */
#define SW_REMOTE_MAX_GATEWAY_CODE		2
/* Internal calls of the warehouse (BRPC_...) that failed. */
#define SW_REMOTE_MIN_INTERNAL_CODE		2005
#define SW_REMOTE_MAX_INTERNAL_CODE		2010

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
	{497, "table engine on cnch", SW_REMOTE_EDITION},
	{497, "virtual warehouse", SW_REMOTE_WAREHOUSE},
	{497, "virtualwarehouse", SW_REMOTE_WAREHOUSE},
	{497, NULL, SW_REMOTE_RIGHT},
	{291, NULL, SW_REMOTE_RIGHT},
	{164, NULL, SW_REMOTE_READ_ONLY},
	{472, NULL, SW_REMOTE_READ_ONLY},

	{81, NULL, SW_REMOTE_DATABASE},
	{60, NULL, SW_REMOTE_TABLE},
	{390, NULL, SW_REMOTE_TABLE},
	{57, NULL, SW_REMOTE_TABLE_THERE},
	{8, NULL, SW_REMOTE_MISFIT},
	{10, NULL, SW_REMOTE_MISFIT},
	{16, NULL, SW_REMOTE_MISFIT},
	{20, NULL, SW_REMOTE_MISFIT},
	{44, NULL, SW_REMOTE_MISFIT},
	{47, NULL, SW_REMOTE_MISFIT},
	{53, NULL, SW_REMOTE_MISFIT},
	{70, NULL, SW_REMOTE_MISFIT},
	{122, NULL, SW_REMOTE_MISFIT},
	{169, NULL, SW_REMOTE_MISFIT},
	{349, NULL, SW_REMOTE_MISFIT},
	{469, NULL, SW_REMOTE_MISFIT},
	{69, NULL, SW_REMOTE_VALUE},
	{321, NULL, SW_REMOTE_VALUE},
	{407, NULL, SW_REMOTE_VALUE},
	{675, NULL, SW_REMOTE_VALUE},
	{676, NULL, SW_REMOTE_VALUE},
	{691, NULL, SW_REMOTE_VALUE},
	{7200, NULL, SW_REMOTE_KEY},
	{7201, NULL, SW_REMOTE_KEY},

	{46, "cnchs3", SW_REMOTE_EDITION},
	{50, "jsonb", SW_REMOTE_EDITION},
	{50, NULL, SW_REMOTE_NEWER},
	{46, NULL, SW_REMOTE_NEWER},
	{56, "cnch", SW_REMOTE_EDITION},
	{56, NULL, SW_REMOTE_NEWER},
	{115, "virtual_warehouse", SW_REMOTE_EDITION},
	{115, NULL, SW_REMOTE_NEWER},
	{48, NULL, SW_REMOTE_NEWER},
	{344, NULL, SW_REMOTE_NEWER},
	{99, NULL, SW_REMOTE_PROTOCOL},
	{100, NULL, SW_REMOTE_PROTOCOL},
	{101, NULL, SW_REMOTE_PROTOCOL},
	{102, NULL, SW_REMOTE_PROTOCOL},

	{36, "vw name", SW_REMOTE_WAREHOUSE},
	{5025, "no worker", SW_REMOTE_WORKERS},
	{5025, NULL, SW_REMOTE_WAREHOUSE},
	{5022, NULL, SW_REMOTE_WORKERS},
	{5040, NULL, SW_REMOTE_WORKERS},
	{5041, NULL, SW_REMOTE_WORKERS},
	{5042, NULL, SW_REMOTE_WORKERS},
	{5043, NULL, SW_REMOTE_WORKERS},
	{5044, NULL, SW_REMOTE_WORKERS},
	{5045, NULL, SW_REMOTE_WORKERS},
	{5046, NULL, SW_REMOTE_WORKERS},
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
	{499, "response code: 403", SW_REMOTE_STORE_KEY},
	{499, "response code: 404", SW_REMOTE_STORE_OBJECT},
	{499, NULL, SW_REMOTE_STORE_OTHER},
	{882, NULL, SW_REMOTE_STORE_OBJECT},
	{107, NULL, SW_REMOTE_STORE_OBJECT},
	{49, "s3", SW_REMOTE_STORE_OTHER},
	{5500, NULL, SW_REMOTE_STORE_OTHER},
	{1009, NULL, SW_REMOTE_STORE_OTHER},
	{491, NULL, SW_REMOTE_STORE_URL},

	{6, NULL, SW_REMOTE_FILE},
	{26, NULL, SW_REMOTE_FILE},
	{27, NULL, SW_REMOTE_FILE},
	{33, NULL, SW_REMOTE_FILE},
	{41, NULL, SW_REMOTE_FILE},
	{73, NULL, SW_REMOTE_FILE},
	{72, NULL, SW_REMOTE_FILE},
	{117, NULL, SW_REMOTE_FILE},

	{159, NULL, SW_REMOTE_TIME_LIMIT},
	{160, NULL, SW_REMOTE_BUSY},
	{202, NULL, SW_REMOTE_BUSY},
	{216, NULL, SW_REMOTE_BUSY},
	{201, NULL, SW_REMOTE_QUOTA},
	{241, NULL, SW_REMOTE_MEMORY},
	{243, NULL, SW_REMOTE_DISK},
	{252, NULL, SW_REMOTE_PARTS},
	{565, NULL, SW_REMOTE_PARTS},
	{394, NULL, SW_REMOTE_CANCELLED},
	{236, NULL, SW_REMOTE_CANCELLED},
	{198, NULL, SW_REMOTE_NETWORK},
	{209, NULL, SW_REMOTE_NETWORK},
	{210, NULL, SW_REMOTE_NETWORK},
	{242, NULL, SW_REMOTE_NETWORK},
	{279, NULL, SW_REMOTE_NETWORK},
	{285, NULL, SW_REMOTE_NETWORK},
	{999, NULL, SW_REMOTE_NETWORK},
	{388, NULL, SW_REMOTE_CONFLICT},
	{473, NULL, SW_REMOTE_CONFLICT},
	{8070, NULL, SW_REMOTE_CONFLICT},
	{11002, NULL, SW_REMOTE_CONFLICT},
	{11008, NULL, SW_REMOTE_CONFLICT},
	{319, NULL, SW_REMOTE_OUTCOME},
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

SwRemoteCause
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
