/*-------------------------------------------------------------------------
 *
 * sw_remote_grant.c
 *	  The GRANT that gives a missing right.
 *
 * Pure text.  What is shown is made of a peer's words: the caller has them
 * redacted.
 *
 * Source of truth: the "Not enough privileges" texts of ClickHouse and
 * ByConity.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "target/sw_quote.h"
#include "target/sw_remote_error.h"
#include "target/sw_sqltext.h"

/*
 * The right to ask for, in the words of the manual, for one that the
 * warehouse misses: the parts of ALTER are given as a whole.  NULL: as the
 * warehouse calls it.
 */
static const char *
sw_remote_right(const char *right)
{
	static const char *const rights[] = {"CREATE TABLE", "CREATE VIEW",
		"DROP TABLE", "DROP VIEW", "INSERT", "ALTER", "SELECT", "OPTIMIZE",
	"TRUNCATE"};
	int			i;

	for (i = 0; i < (int) lengthof(rights); i++)
		if (strncmp(right, rights[i], strlen(rights[i])) == 0)
			return rights[i];
	return NULL;
}

/* "INSERT(a, b), ALTER DELETE" becomes "INSERT, ALTER". */
static void
sw_remote_append_rights(StringInfo grant, const char *rights, const char *end)
{
	const char *last = NULL;

	while (rights < end)
	{
		const char *right = rights;
		const char *known;
		int			depth = 0;

		for (; rights < end && (*rights != ',' || depth > 0); rights++)
		{
			depth += *rights == '(' ? 1 : 0;
			depth -= *rights == ')' ? 1 : 0;
		}
		known = sw_remote_right(right);
		if (known == NULL || known != last)
		{
			if (last != NULL)
				appendStringInfoString(grant, ", ");
			if (known != NULL)
				appendStringInfoString(grant, known);
			else
				appendBinaryStringInfo(grant, right, (int) (rights - right));
			last = known != NULL ? known : "";
		}
		while (rights < end && (*rights == ',' || *rights == ' '))
			rights++;
	}
}

/*
 * "db.table ..." becomes "db.*": what misses on one table of ours will miss
 * on the next.  Anything else, such as *.*, system.processes, or the name of
 * an engine, stays.
 */
static void
sw_remote_append_object(StringInfo grant, const char *object)
{
	const char *at = object;
	SwSqlToken	database = sw_sqltext_next(&at);
	SwSqlToken	dot = sw_sqltext_next(&at);
	SwSqlToken	table = sw_sqltext_next(&at);
	bool		has_table = sw_sqltext_is_symbol(&dot, '.') &&
	(table.kind == SW_SQL_WORD || table.kind == SW_SQL_NAME ||
	 sw_sqltext_is_symbol(&table, '*'));

	appendBinaryStringInfo(grant, database.text, (int) database.len);
	if (!has_table)
		return;
	appendStringInfoChar(grant, '.');
	if (sw_sqltext_is_word(&database, "system"))
		appendBinaryStringInfo(grant, table.text, (int) table.len);
	else
		appendStringInfoChar(grant, '*');
}

/* Newer servers name what is needed, and then what of it is missing. */
bool
sw_remote_write_grant(const char *text, const char *grantee, StringInfo grant)
{
	static const char missing[] = "Missing permissions: ";
	static const char needed[] = "grant ";
	const char *rights = strstr(text, missing);
	const char *on;

	if (rights != NULL)
		rights += strlen(missing);
	else if ((rights = strstr(text, needed)) != NULL)
		rights += strlen(needed);
	else
		return false;
	on = strstr(rights, " ON ");
	if (on == NULL)
		on = strstr(rights, " on ");
	if (on == NULL)
		return false;

	/* Reading staged objects takes two rights, refused one by one. */
	if (strncmp(rights, "S3", 2) == 0 ||
		strncmp(rights, "READ ON S3", 10) == 0 ||
		strncmp(rights, "CREATE TEMPORARY TABLE", 22) == 0)
		appendStringInfoString(grant,
							   "GRANT S3, CREATE TEMPORARY TABLE ON *.*");
	else
	{
		appendStringInfoString(grant, "GRANT ");
		sw_remote_append_rights(grant, rights, on);
		appendStringInfoString(grant, " ON ");
		sw_remote_append_object(grant, on + strlen(" ON "));
	}
	appendStringInfoString(grant, " TO ");
	if (grantee != NULL && grantee[0] != '\0')
		sw_quote_append_name(grant, grantee);
	else
		appendStringInfoString(grant, "<role>");
	return true;
}
