/*-------------------------------------------------------------------------
 *
 * sw_derive.c
 *	  Pipelines of data source `table`: what the source makes of the target.
 *
 * The target gets a column for each of the source's, in their order, but
 * those that the mapping leaves out; then those that only the mapping has.
 *
 * Contract: sw_derive.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "source/sw_identity.h"
#include "source/sw_relation.h"
#include "source/sw_type_map.h"
#include "sync/sw_columns.h"
#include "sync/sw_derive.h"
#include "sync/sw_mapping.h"
#include "sync/sw_texts.h"
#include "target/sw_target.h"

/* Columns of ours: change data capture adds some of that name. */
#define RESERVED_PREFIX "_sw_"

static bool
have_name(const List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
		if (strcmp(lfirst(cell), name) == 0)
		return true;
	return false;
}

static List *
list_target_columns(const List *source_columns, const List *mappings)
{
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, source_columns)
	{
		char	   *name = lfirst(cell);
		const SwMapping *mapping = sw_mapping_find(mappings, name);

		if (mapping == NULL || !mapping->is_left_out)
			names = lappend(names, name);
	}
	foreach(cell, mappings)
	{
		const SwMapping *mapping = lfirst(cell);

		if (have_name(source_columns, mapping->column))
			continue;
		if (mapping->is_left_out)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("mapping leaves out column \"%s\", which the source does not have",
							mapping->column)));
		names = lappend(names, (char *) mapping->column);
	}
	foreach(cell, names)
		if (strncmp(lfirst(cell), RESERVED_PREFIX, strlen(RESERVED_PREFIX)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("column \"%s\" has a name that is reserved",
						(char *) lfirst(cell)),
				 errdetail("Names that begin with \"%s\" are those of the extension.",
						   RESERVED_PREFIX),
				 errhint("Leave it out, and map another name to it, e.g. {\"%s\": null, \"other\": \"%s\"}.",
						 (char *) lfirst(cell), (char *) lfirst(cell))));
	if (names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the source has no columns to export")));
	return names;
}

/* The primary key as the key of the target, which must have its columns. */
static void
take_key(SwPipeline *row, const List *key, const List *target_columns)
{
	const char **names = palloc(list_length(key) * sizeof(char *));
	ListCell   *cell;
	int			n = 0;

	foreach(cell, key)
	{
		if (!have_name(target_columns, lfirst(cell)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
					 errmsg("mapping leaves out column \"%s\" of the primary key",
							(char *) lfirst(cell)),
					 errhint("Give key_columns, or mode \"append\".")));
		names[n++] = lfirst(cell);
	}
	row->key_columns = sw_texts_make(names, n);
}

/* Check what is given of mode and key, find the rest. */
static void
find_mode(SwPipeline *row, const List *target_columns)
{
	List	   *key = NIL;

	if (row->mode != NULL && strcmp(row->mode, "append") != 0 &&
		strcmp(row->mode, "upsert") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown mode \"%s\"", row->mode),
				 errhint("Use \"append\" or \"upsert\".")));
	if (row->mode != NULL && strcmp(row->mode, "append") == 0)
	{
		if (row->key_columns != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("key_columns are given, but rows are only appended"),
					 errhint("Leave key_columns NULL, or use mode \"upsert\".")));
		return;
	}
	if (row->key_columns == NULL)
	{
		key = sw_relation_list_key(row->source);
		if (key != NIL)
			take_key(row, key, target_columns);
	}
	if (row->mode == NULL)
		row->mode = row->key_columns == NULL ? "append" : "upsert";
	else if (row->key_columns == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the source has no primary key to upsert by"),
				 errhint("Give key_columns, or use mode \"append\".")));
}

static const char **
get_key(const SwPipeline *row, int *n_key)
{
	const char **key = sw_texts_get(row->key_columns, "key_columns", n_key);
	int			i;

	if (row->key_columns != NULL && *n_key == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key_columns is empty"),
				 errhint("Leave it NULL for the primary key.")));
	for (i = 1; i < *n_key; i++)
		if (sw_texts_have(key, i, key[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("key_columns names column \"%s\" twice", key[i])));
	return key;
}

static void
make_columns(SwPipeline *row, const char *kind, const List *names,
			 const List *mappings)
{
	SwColumnSpec *specs = palloc0(list_length(names) * sizeof(SwColumnSpec));
	ListCell   *cell;
	int			n_key;
	const char **key = get_key(row, &n_key);
	int			n = 0;

	foreach(cell, names)
	{
		const char *name = lfirst(cell);
		const SwMapping *mapping = sw_mapping_find(mappings, name);
		SwSourceType source;
		SwTypeWish	wish = {
			.is_key = sw_texts_have(key, n_key, name),
			.has_time = sw_target_has_time(kind),
			.target_type = mapping == NULL ? NULL : mapping->type
		};

		sw_type_map_resolve(row->source, name,
							mapping == NULL ? NULL : mapping->expression,
							&source);
		sw_type_map_make_spec(&specs[n++], name, &source, &wish);
	}
	row->target_columns = (struct varlena *) sw_columns_pack(specs, n);
}

void
sw_derive_target(SwPipeline *row, const char *kind)
{
	List	   *mappings = sw_mapping_parse((Jsonb *) row->columns);
	List	   *names;
	SwIdentity	identity;

	sw_identity_enter(row->owner, row->source, row->system_timezone, &identity);
	names = list_target_columns(sw_relation_list_columns(row->source), mappings);
	find_mode(row, names);
	make_columns(row, kind, names, mappings);
	sw_identity_leave(&identity);
}

void
sw_derive_check(const SwSourceQuery *query)
{
	SwTypeWish	wish = {.has_time = true};
	int			i;

	for (i = 0; i < query->n_columns; i++)
	{
		const SwColumnSpec *then = &query->specs[i];
		SwColumnSpec now;
		SwSourceType source;

		if (!query->columns[i].is_raw)
			continue;
		sw_type_map_resolve(query->relation, then->name,
							query->columns[i].expression, &source);
		wish.target_type = then->target_type;
		sw_type_map_make_spec(&now, then->name, &source, &wish);
		if (!sw_columns_agree(then, &now))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("the source of column \"%s\" is not of the type that the target was made for",
							then->name),
					 errdetail("It gives %s, the target's column was made for %s.",
							   sw_columns_describe(&now),
							   sw_columns_describe(then)),
					 errhint("Map the column to an expression of the former type, or stop the pipeline and make another one.")));
	}
}
