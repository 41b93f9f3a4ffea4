/*-------------------------------------------------------------------------
 *
 * sw_ch_block.h
 *	  A block of the ClickHouse native protocol: columns of values.
 *
 * A block is read as its bytes arrive, value by value, so that feeding it
 * in any pieces costs the same and gives the same block.
 *
 *	   info: varuint field, value ... 0 | varuint n_columns | varuint n_rows
 *	   per column: string name | string type | values unless n_rows = 0
 *
 * Memory is palloc'd in the context current at each call; use one context
 * for the life of a block.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_CH_BLOCK_H
#define SW_CH_BLOCK_H

#include "common/sw_bytes.h"
#include "common/sw_status.h"

/* How the values of a column are laid out. */
typedef enum SwChKind
{
	SW_CH_KIND_UNKNOWN = 0,		/* fine in a block without rows */
	SW_CH_KIND_UNSIGNED,		/* little-endian, width bytes */
	SW_CH_KIND_SIGNED,			/* the same, two's complement */
	SW_CH_KIND_FLOAT,			/* the same, IEEE 754 */
	SW_CH_KIND_FIXED_STRING,	/* width bytes, padded with zeros */
	SW_CH_KIND_STRING			/* varuint length and bytes */
} SwChKind;

typedef struct SwChColumn
{
	char	   *name;			/* NUL-terminated copy */
	char	   *type;			/* NUL-terminated copy, as the peer wrote it */
	SwChKind	kind;			/* of the values, inside Nullable too */
	Size		width;			/* bytes a value; 0 for STRING */
	bool		is_nullable;
	SwBuffer	nulls;			/* is_nullable: one byte a row, 1 = null */
	SwBuffer	offsets;		/* STRING: uint32 end of each value in values,
								 * in host order */
	SwBuffer	values;			/* the bytes of all values */
} SwChColumn;

/* Where reading has got to. */
typedef enum SwChBlockStep
{
	SW_CH_BLOCK_INFO,
	SW_CH_BLOCK_COUNTS,
	SW_CH_BLOCK_COLUMN,			/* name and type of the next column */
	SW_CH_BLOCK_NULLS,
	SW_CH_BLOCK_VALUES,
	SW_CH_BLOCK_DONE
} SwChBlockStep;

typedef struct SwChBlock
{
	uint32		n_columns;
	uint32		n_rows;
	SwChColumn *columns;		/* NULL while there are none */
	const char *refused_type;	/* SW_READ_BAD because of this type, as the
								 * peer wrote it; else NULL */

	/* of the reader only */
	SwChBlockStep step;
	uint32		column;			/* the one being read */
	uint32		n_values;		/* strings of it that are complete */
	bool		in_string;		/* the length of the next has been read */
	Size		string_end;		/* length of values when it is complete */
	Size		total_bytes;	/* against SW_CH_MAX_BLOCK_BYTES */
} SwChBlock;

/* An empty block, about to be read. */
extern void sw_ch_block_init(SwChBlock *block);

/* Release its columns and make it as after init. */
extern void sw_ch_block_reset(SwChBlock *block);

/*
 * Read on.  SW_READ_OK: the block is complete.  SW_READ_MORE: all bytes
 * that could be used are consumed; call again with what follows.
 * SW_READ_BAD: *err says what is wrong with it.
 */
extern SwReadResult sw_ch_block_read(SwChBlock *block, SwReader *reader,
									 SwError *err);

/*
 * The value as text, palloc'd and NUL-terminated: strings up to their first
 * NUL, numbers in decimal, of which dates are days and times are ticks since
 * the epoch; NULL = null.
 */
extern char *sw_ch_column_get_text(const SwChColumn *column, uint32 row);

#endif							/* SW_CH_BLOCK_H */
