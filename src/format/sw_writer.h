/*-------------------------------------------------------------------------
 *
 * sw_writer.h
 *	  A file writer: batches in, bytes of one file out.
 *
 * A writer is opened for one file, fed batches, finished once, destroyed
 * once.  It hands finished bytes to a sink as soon as it can and keeps at
 * most one row group or block in memory.  The same batches and options
 * always give the same bytes.
 *
 * A writer's own memory is palloc'd in the context current at open; foreign
 * objects inside it (compression contexts) are released by destroy, which
 * the opener must arrange for on every path (net/sw_resource.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_WRITER_H
#define SW_WRITER_H

#include "common/sw_status.h"
#include "format/sw_column.h"

/*
 * Where finished bytes go.  write must take all len bytes or return an
 * error; it may keep neither the pointer nor part of the data for later.
 */
typedef struct SwSink
{
	SwStatus	(*write) (void *arg, const char *data, Size len, SwError *err);
	void	   *arg;
} SwSink;

typedef struct SwWriterOptions
{
	int			compression_level;	/* of the codec; 1 is the house default */
	Size		group_bytes;	/* Parquet: close a row group at about this
								 * many raw bytes, at least one batch; beyond
								 * one batch and its pages the writer takes
								 * about three times as much memory */
	const char *created_by;		/* Parquet: goes into the file's metadata */
	bool		has_dictionaries;	/* Native: string columns with repetitions
									 * may come as LowCardinality, in some
									 * blocks and not in others; the reader
									 * casts them to what it is told */
} SwWriterOptions;

typedef struct SwWriter SwWriter;

typedef struct SwWriterOps
{
	const char *format_name;	/* as the warehouse's load function names it,
								 * e.g. "Parquet" */
	const char *file_extension; /* without the dot, e.g. "parquet" */
	const char *compression;	/* of the file as a whole, as the load
								 * function names it; NULL = none */

	/* Never NULL.  specs must outlive the writer. */
	SwWriter   *(*open) (const SwColumnSpec *specs, int n_columns,
						 const SwWriterOptions *options, SwSink sink);
	SwStatus	(*write_batch) (SwWriter *writer, const SwBatch *batch,
								SwError *err);

	/*
	 * Bytes that finish would have given by now, roughly: for rotation.
	 * PG_UINT64_MAX: what the file's end must tell of it has grown so large
	 * that the file should end here.
	 */
	uint64		(*bytes_written) (const SwWriter *writer);
	/* Write what is left and the end of the file. */
	SwStatus	(*finish) (SwWriter *writer, SwError *err);
	/* Release foreign objects; safe at any state, once. */
	void		(*destroy) (SwWriter *writer);
} SwWriterOps;

extern const SwWriterOps sw_parquet_zstd_writer_ops;
extern const SwWriterOps sw_parquet_lz4_writer_ops;
extern const SwWriterOps sw_parquet_snappy_writer_ops;
extern const SwWriterOps sw_parquet_none_writer_ops;
extern const SwWriterOps sw_native_zstd_writer_ops;
extern const SwWriterOps sw_native_lz4_writer_ops;
extern const SwWriterOps sw_native_none_writer_ops;

/*
 * By the names in stage_format, "parquet" or "native", and stage_compression,
 * which is "zstd", "lz4", "none", and of parquet also "snappy".  NULL: there
 * is none.
 */
extern const SwWriterOps *sw_writer_find(const char *stage_format,
										 const char *stage_compression);

#endif							/* SW_WRITER_H */
