/*-------------------------------------------------------------------------
 *
 * sw_report.c
 *	  The one bridge between SwError and ereport.
 *
 * A run that failed is looked at again by whoever decides about the next
 * attempt, and all that is left by then is the SQLSTATE.  So the SQLSTATE
 * must carry the retry class: each status has one code for "never" and one
 * for "later", and sw_report_retry_class() finds the class from the code.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "net/sw_report.h"

/* Our own: the peer failed in a way that may pass ("remote, transient"). */
#define SW_ERRCODE_REMOTE_TRANSIENT MAKE_SQLSTATE('3','8','R','0','1')

typedef struct SwReportCodes
{
	int			never;
	int			later;
} SwReportCodes;

static const SwReportCodes sw_report_codes[] = {
	[SW_OK] = {ERRCODE_INTERNAL_ERROR, SW_ERRCODE_REMOTE_TRANSIENT},
	[SW_ERR_CONNECT] = {
		ERRCODE_SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION,
		ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION
	},
	[SW_ERR_TLS] = {
		ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
		ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION
	},
	[SW_ERR_LOST] = {
		ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
		ERRCODE_CONNECTION_FAILURE
	},
	[SW_ERR_TIMEOUT] = {
		ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
		ERRCODE_CONNECTION_FAILURE
	},
	[SW_ERR_PROTOCOL] = {
		ERRCODE_PROTOCOL_VIOLATION,
		ERRCODE_CONNECTION_FAILURE
	},
	[SW_ERR_AUTH] = {
		ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
		SW_ERRCODE_REMOTE_TRANSIENT
	},
	[SW_ERR_DENIED] = {
		ERRCODE_INSUFFICIENT_PRIVILEGE,
		SW_ERRCODE_REMOTE_TRANSIENT
	},
	[SW_ERR_MISSING] = {ERRCODE_UNDEFINED_OBJECT, SW_ERRCODE_REMOTE_TRANSIENT},
	[SW_ERR_REMOTE] = {
		ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
		SW_ERRCODE_REMOTE_TRANSIENT
	},
	[SW_ERR_STORE] = {ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, ERRCODE_IO_ERROR},
	[SW_ERR_CONFIG] = {
		ERRCODE_INVALID_PARAMETER_VALUE,
		SW_ERRCODE_REMOTE_TRANSIENT
	},
	[SW_ERR_UNSUPPORTED] = {
		ERRCODE_FEATURE_NOT_SUPPORTED,
		SW_ERRCODE_REMOTE_TRANSIENT
	},
	[SW_ERR_RANGE] = {
		ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
		SW_ERRCODE_REMOTE_TRANSIENT
	},
	[SW_ERR_DATA] = {
		ERRCODE_INVALID_TEXT_REPRESENTATION,
		SW_ERRCODE_REMOTE_TRANSIENT
	},
	[SW_ERR_LIMIT] = {
		ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
		ERRCODE_INSUFFICIENT_RESOURCES
	},
	[SW_ERR_IO] = {ERRCODE_UNDEFINED_FILE, ERRCODE_IO_ERROR},
	[SW_ERR_MISMATCH] = {ERRCODE_DATA_CORRUPTED, SW_ERRCODE_REMOTE_TRANSIENT},
	[SW_ERR_BUG] = {ERRCODE_INTERNAL_ERROR, SW_ERRCODE_REMOTE_TRANSIENT}
};

int
sw_report_sqlstate(SwStatus status, SwRetry retry)
{
	if (retry == SW_RETRY_UNKNOWN)
		return ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN;
	if ((int) status < 0 || (int) status >= (int) lengthof(sw_report_codes))
		status = SW_ERR_BUG;
	return retry == SW_RETRY_LATER ? sw_report_codes[status].later :
		sw_report_codes[status].never;
}

SwRetry
sw_report_retry_class(int sqlstate)
{
	switch (sqlstate)
	{
			/* Members of the classes below that a repeat does not cure. */
		case ERRCODE_SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION:
		case ERRCODE_PROTOCOL_VIOLATION:
		case ERRCODE_CONFIGURATION_LIMIT_EXCEEDED:
		case ERRCODE_UNDEFINED_FILE:
		case ERRCODE_DUPLICATE_FILE:
			return SW_RETRY_NEVER;

		case ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN:
			return SW_RETRY_UNKNOWN;

			/* Members of other classes that it does. */
		case SW_ERRCODE_REMOTE_TRANSIENT:
		case ERRCODE_LOCK_NOT_AVAILABLE:
		case ERRCODE_OBJECT_IN_USE:
			return SW_RETRY_LATER;

		default:
			break;
	}

	switch (ERRCODE_TO_CATEGORY(sqlstate))
	{
		case MAKE_SQLSTATE('0', '8', '0', '0', '0'):
		case MAKE_SQLSTATE('4', '0', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '3', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '7', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '8', '0', '0', '0'):
			return SW_RETRY_LATER;
		default:
			return SW_RETRY_NEVER;
	}
}

void
sw_report(int elevel, const SwError *err)
{
	ereport(elevel,
			(errcode(sw_report_sqlstate(err->status, err->retry)),
			 errmsg_internal("%s", err->message),
			 err->detail[0] != '\0' ? errdetail_internal("%s", err->detail) : 0,
			 err->hint[0] != '\0' ? errhint("%s", err->hint) : 0));
}
