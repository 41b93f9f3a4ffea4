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
	const char *format;
	const char *compression;
	const SwWriterOps *ops;
}			writers[] =

{
	{
		"parquet", "zstd", &sw_parquet_zstd_writer_ops
	},
	{
		"parquet", "lz4", &sw_parquet_lz4_writer_ops
	},
	{
		"parquet", "snappy", &sw_parquet_snappy_writer_ops
	},
	{
		"parquet", "none", &sw_parquet_none_writer_ops
	},
	{
		"native", "zstd", &sw_native_zstd_writer_ops
	},
	{
		"native", "lz4", &sw_native_lz4_writer_ops
	},
	{
		"native", "none", &sw_native_none_writer_ops
	}
};

const SwWriterOps *
sw_writer_find(const char *stage_format, const char *stage_compression)
{
	int			i;

	for (i = 0; i < (int) lengthof(writers); i++)
		if (strcmp(writers[i].format, stage_format) == 0 &&
			strcmp(writers[i].compression, stage_compression) == 0)
			return writers[i].ops;
	return NULL;
}
