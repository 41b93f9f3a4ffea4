/*-------------------------------------------------------------------------
 *
 * target_remote_error.c
 *	  Tests of sw_remote_error: exceptions of a warehouse get a status, a
 *	  class, a remedy, and lose their secrets.
 *
 *-------------------------------------------------------------------------
 */
#include "unit.h"

#include "target/sw_remote_error.h"

static SwError
explain(int code, const char *message, int nested_code,
		const char *nested_message)
{
	static const char secret[] = "not-a-secret-key";
	SwRedactor	redactor = {0};
	SwChException exception = {0};
	SwError		err;

	sw_redactor_add(&redactor, secret);
	exception.code = code;
	exception.name = "DB::Exception";
	exception.message = (char *) message;
	exception.n_nested = nested_message == NULL ? 0 : 1;
	exception.nested_code = nested_code;
	exception.nested_message = (char *) nested_message;
	(void) sw_remote_error_set(&err, &exception, &redactor, "user`x");
	return err;
}

static void
means(int code, const char *message, SwStatus status, SwRetry retry)
{
	SwError		err = explain(code, message, 0, NULL);
	char		name[100];

	snprintf(name, sizeof(name), "%d %s", code, message);
	unit_ok(err.status == status && err.retry == retry, name);
	if (err.status != status || err.retry != retry)
		printf("# got %s/%d: %s\n", sw_status_name(err.status), err.retry,
			   err.message);
	if (err.remote_code != code)
		unit_is_int(err.remote_code, code, "its code");
}

/* Every code of the fact sheet. */
static void
test_codes(void)
{
	static const int logins[] = {516, 192, 193, 194, 195};
	static const int workers[] = {5022, 5040, 5041, 5042, 5043, 5044, 5045,
	5046, 5047, 5048, 7102, 7103, 7104, 7105, 7106, 7107, 7108};
	static const int later[] = {160, 202, 201, 209, 210, 241, 252, 394, 473,
		1009, 2005, 2010, 5500, 8070, 11002, 11008, 565, 999, 236, 242, 285,
	388};
	static const int never[] = {6, 16, 20, 26, 27, 33, 36, 41, 42, 47, 53,
		57, 62, 69, 70, 72, 73, 117, 122, 169, 321, 349, 407, 469, 675, 676, 691,
		5037, 7200, 7201, 12345,
	-5};
	static const int unknown[] = {319, 11003, 11005};
	int			i;

	for (i = 0; i < (int) lengthof(logins); i++)
		means(logins[i], "x", SW_ERR_AUTH, SW_RETRY_NEVER);
	for (i = 0; i < (int) lengthof(workers); i++)
		means(workers[i], "x", SW_ERR_REMOTE, SW_RETRY_LATER);
	for (i = 0; i < (int) lengthof(later); i++)
		unit_is_int(explain(later[i], "x", 0, NULL).retry, SW_RETRY_LATER,
					"worth a repeat");
	for (i = 0; i < (int) lengthof(never); i++)
		means(never[i], "x", SW_ERR_REMOTE, SW_RETRY_NEVER);
	for (i = 0; i < (int) lengthof(unknown); i++)
		means(unknown[i], "x", SW_ERR_REMOTE, SW_RETRY_UNKNOWN);

	means(497, "x", SW_ERR_DENIED, SW_RETRY_NEVER);
	means(291, "x", SW_ERR_DENIED, SW_RETRY_NEVER);
	means(164, "x", SW_ERR_DENIED, SW_RETRY_NEVER);
	means(81, "x", SW_ERR_MISSING, SW_RETRY_NEVER);
	means(60, "x", SW_ERR_MISSING, SW_RETRY_NEVER);
	means(390, "x", SW_ERR_MISSING, SW_RETRY_NEVER);
	means(159, "x", SW_ERR_TIMEOUT, SW_RETRY_LATER);
	means(99, "x", SW_ERR_PROTOCOL, SW_RETRY_NEVER);
	means(101, "x", SW_ERR_PROTOCOL, SW_RETRY_NEVER);
	means(56, "Unknown table engine CnchMergeTree", SW_ERR_UNSUPPORTED,
		  SW_RETRY_NEVER);
	means(46, "Unknown table function CnchS3", SW_ERR_UNSUPPORTED,
		  SW_RETRY_NEVER);
	means(50, "Unknown data type family: JSONB", SW_ERR_UNSUPPORTED,
		  SW_RETRY_NEVER);
	means(115, "Unknown setting 'virtual_warehouse'", SW_ERR_UNSUPPORTED,
		  SW_RETRY_NEVER);
	means(344, "x", SW_ERR_UNSUPPORTED, SW_RETRY_NEVER);
	means(48, "x", SW_ERR_UNSUPPORTED, SW_RETRY_NEVER);
}

/*
 * Each cause has a remedy, which is right for who does a thing once, too.  A
 * code that nobody knows is a refusal: a repeat is not promised to help.
 */
static void
test_remedies(void)
{
	int			code;
	int			n_unknown = 0;

	for (code = -10; code < 13000; code++)
	{
		SwError		err = explain(code, "x", 0, NULL);

		if (err.hint[0] == '\0' || strstr(err.hint, "tried again") != NULL)
			unit_ok(false, psprintf("%d: %s", code, err.hint));
		if (strcmp(err.message, "the warehouse refused the statement") != 0)
			continue;
		n_unknown++;
		if (err.status != SW_ERR_REMOTE || err.retry != SW_RETRY_NEVER)
			unit_ok(false, psprintf("class of %d", code));
	}
	unit_ok(n_unknown > 12000 && n_unknown < 13000, "most codes are unknown");
	unit_is_text(explain(12345, "x", 0, NULL).hint,
				 "See the manual of the warehouse for this code. If that does "
				 "not help, report it with the version of the warehouse.",
				 "the remedy of an unknown code");
}

static void
test_words(void)
{
	SwError		err;

	means(5025, "Virtual warehouse vw-1-x not found", SW_ERR_MISSING,
		  SW_RETRY_NEVER);
	means(5025, "No Worker available in vw-1-x", SW_ERR_REMOTE,
		  SW_RETRY_LATER);
	means(36, "expected a nonempty VW name", SW_ERR_MISSING, SW_RETRY_NEVER);
	means(497, "user has no access to virtual warehouse x", SW_ERR_MISSING,
		  SW_RETRY_NEVER);
	means(497, "necessary to have grant INSERT ON warehouse.t",
		  SW_ERR_DENIED, SW_RETRY_NEVER);
	means(0, "the VirtualWarehouse is not there", SW_ERR_MISSING,
		  SW_RETRY_NEVER);
	means(1, "authentication failed", SW_ERR_AUTH, SW_RETRY_NEVER);
	means(2, "Invalid API key", SW_ERR_AUTH, SW_RETRY_NEVER);
	means(0, "no permission", SW_ERR_DENIED, SW_RETRY_NEVER);
	means(0, "something else", SW_ERR_REMOTE, SW_RETRY_NEVER);

	means(499, "`AccessDenied`", SW_ERR_STORE, SW_RETRY_NEVER);
	means(499, "NoSuchBucket", SW_ERR_STORE, SW_RETRY_NEVER);
	means(499, "InvalidAccessKeyId", SW_ERR_STORE, SW_RETRY_NEVER);
	means(499, "SignatureDoesNotMatch", SW_ERR_STORE, SW_RETRY_NEVER);
	means(499, "InvalidPathAccess", SW_ERR_STORE, SW_RETRY_NEVER);
	means(499, "HTTP response code: 404", SW_ERR_STORE, SW_RETRY_NEVER);
	means(499, "SlowDown", SW_ERR_STORE, SW_RETRY_LATER);
	means(882, "File x not exist", SW_ERR_STORE, SW_RETRY_NEVER);
	means(491, "x", SW_ERR_STORE, SW_RETRY_NEVER);
	means(49, "Could not list objects in S3", SW_ERR_STORE, SW_RETRY_LATER);

	err = explain(5025, "Virtual warehouse x not found", 0, NULL);
	unit_ok(sw_remote_error_is_warehouse(&err), "a warehouse is missing");
	unit_ok(!sw_remote_error_is_table(&err), "not a table");
	err = explain(7107, "x", 0, NULL);
	unit_ok(sw_remote_error_is_starting(&err), "workers are starting");
	err = explain(60, "x", 0, NULL);
	unit_ok(sw_remote_error_is_table(&err), "a table is missing");

	/* What the outer one does not know, the inner one may. */
	err = explain(1234, "wrapped", 516, "Authentication failed");
	unit_is_int(err.status, SW_ERR_AUTH, "the nested exception counts");
	unit_is_int(err.remote_code, 516, "with its code");
	err = explain(516, "Authentication failed", 60, "no table");
	unit_is_int(err.status, SW_ERR_AUTH, "unless the outer one is known");
}

static void
grants(const char *message, const char *expected)
{
	SwError		err = explain(497, message, 0, NULL);
	char		hint[1024];

	snprintf(hint, sizeof(hint),
			 "Run at the warehouse as an administrator: GRANT %s TO `user\\`x`",
			 expected);
	unit_is_text(err.hint, hint, message);
}

static void
test_grants(void)
{
	/* ByteHouse */
	grants("u: Not enough privileges. To execute this query it's necessary "
		   "to have grant CREATE TABLE ON db.t", "CREATE TABLE ON db.*");
	grants("have grant DROP TABLE ON db.t.", "DROP TABLE ON db.*");
	grants("have grant INSERT(a, b) ON db.t", "INSERT ON db.*");
	grants("have grant ALTER DROP PARTITION ON db.t", "ALTER ON db.*");
	grants("have grant S3 ON *.*", "S3, CREATE TEMPORARY TABLE ON *.*");
	grants("have grant CREATE TEMPORARY TABLE, S3 ON *.*",
		   "S3, CREATE TEMPORARY TABLE ON *.*");
	grants("have grant SELECT(time) ON db.t", "SELECT ON db.*");

	/* ClickHouse */
	grants("u: Not enough privileges. To execute this query, it's necessary "
		   "to have the grant READ ON S3. (ACCESS_DENIED)",
		   "S3, CREATE TEMPORARY TABLE ON *.*");
	grants("have the grant SELECT for at least one column on db.t. (X)",
		   "SELECT ON db.*");
	grants("have the grant OPTIMIZE ON db.`my table`. (X)", "OPTIMIZE ON db.*");
	grants("have the grant ALTER DELETE ON `my db`.t", "ALTER ON `my db`.*");
	grants("have the grant ALTER MODIFY COMMENT, ALTER DELETE ON db.t",
		   "ALTER ON db.*");
	grants("have the grant INSERT, ALTER DELETE ON db.t. (Missing "
		   "permissions: ALTER DELETE ON db.t). (X)", "ALTER ON db.*");
	grants("have the grant CREATE VIEW, DROP VIEW ON db.v",
		   "CREATE VIEW, DROP VIEW ON db.*");
	grants("have the grant TABLE ENGINE ON MergeTree",
		   "TABLE ENGINE ON MergeTree");
	grants("have the grant SELECT ON system.processes",
		   "SELECT ON system.processes");
	grants("have the grant SHOW COLUMNS ON db.t", "SHOW COLUMNS ON db.*");
	grants("have the grant CREATE DATABASE ON *.*", "CREATE DATABASE ON *.*");
	unit_is_text(explain(497, "no", 0, NULL).hint,
				 "Grant the user the rights that the manual lists.",
				 "a right without a name");
}

static void
test_secrets(void)
{
	SwError		err;

	err = explain(62, "Syntax error at CnchS3('https://x', 'a', "
				  "'not-a-secret-key'", 0, NULL);
	unit_is_text(err.detail,
				 "The warehouse says (code 62): Syntax error at CnchS3(",
				 "the arguments of CnchS3 are dropped");
	err = explain(62, "in s3('https://x', 'key', 'not-a-secret-key')", 0,
				  NULL);
	unit_is_text(err.detail, "The warehouse says (code 62): in s3(",
				 "those of s3, too");
	err = explain(516, "user not-a-secret-key", 0, NULL);
	unit_is_text(err.detail, "The warehouse says (code 516): user ***",
				 "and secrets elsewhere");
	err = explain(497, "have grant not-a-secret-key ON db.t", 0, NULL);
	unit_ok(strstr(err.hint, "not-a-secret") == NULL, "in the remedy, too");
}

int
main(void)
{
	test_codes();
	test_remedies();
	test_words();
	test_grants();
	test_secrets();
	return unit_done();
}
