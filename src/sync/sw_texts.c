/*-------------------------------------------------------------------------
 *
 * sw_texts.c
 *	  Arrays of text as rows of the catalog have them, and as C has them.
 *
 * Contract: sw_texts.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "sync/sw_texts.h"

struct varlena *
sw_texts_make(const char *const *texts, int n_texts)
{
	Datum	   *values = palloc(Max(n_texts, 1) * sizeof(Datum));
	int			i;

	for (i = 0; i < n_texts; i++)
		values[i] = CStringGetTextDatum(texts[i]);
	return (struct varlena *) construct_array(values, n_texts, TEXTOID, -1,
											  false, TYPALIGN_INT);
}

const char **
sw_texts_get(const struct varlena *array, const char *column, int *n_texts)
{
	Datum	   *values;
	bool	   *nulls;
	const char **texts;
	int			i;

	*n_texts = 0;
	if (array == NULL)
		return NULL;
	deconstruct_array((ArrayType *) array, TEXTOID, -1, false, TYPALIGN_INT,
					  &values, &nulls, n_texts);
	texts = palloc0(Max(*n_texts, 1) * sizeof(char *));
	for (i = 0; i < *n_texts; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s contains a null", column)));
		texts[i] = TextDatumGetCString(values[i]);
	}
	return texts;
}

bool
sw_texts_have(const char *const *texts, int n_texts, const char *text)
{
	int			i;

	for (i = 0; i < n_texts; i++)
		if (strcmp(texts[i], text) == 0)
			return true;
	return false;
}
