/*-------------------------------------------------------------------------
 *
 * sw_writer.c
 *	  The file writers by name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "format/sw_writer.h"

static const struct
{
	const char *name;
	const SwWriterOps *ops;
}			writers[] =

{
	{
		"parquet", &sw_parquet_writer_ops
	},
	{
		"native", &sw_native_writer_ops
	}
};

const SwWriterOps *
sw_writer_find(const char *stage_format)
{
	int			i;

	for (i = 0; i < (int) lengthof(writers); i++)
		if (strcmp(writers[i].name, stage_format) == 0)
			return writers[i].ops;
	return NULL;
}
