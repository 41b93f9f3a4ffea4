/*-------------------------------------------------------------------------
 *
 * sw_thrift.h
 *	  Write structures in Thrift's compact protocol.
 *
 * Fields of a struct must be written in ascending order of their ids.  A
 * writer begins inside a struct; the last sw_thrift_end_struct ends that.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_THRIFT_H
#define SW_THRIFT_H

#include "common/sw_bytes.h"

/* Deepest nesting of structs that a writer takes. */
#define SW_THRIFT_MAX_DEPTH 8

/* Types as the wire names them. */
typedef enum SwThriftType
{
	SW_THRIFT_TRUE = 1,
	SW_THRIFT_FALSE = 2,
	SW_THRIFT_INT8 = 3,
	SW_THRIFT_INT32 = 5,
	SW_THRIFT_INT64 = 6,
	SW_THRIFT_BINARY = 8,
	SW_THRIFT_LIST = 9,
	SW_THRIFT_STRUCT = 12
} SwThriftType;

typedef struct SwThriftWriter
{
	SwBuffer   *out;			/* borrowed */
	int			depth;
	int			last_field[SW_THRIFT_MAX_DEPTH];	/* of each open struct */
} SwThriftWriter;

extern void sw_thrift_init(SwThriftWriter *writer, SwBuffer *out);

/* Fields of the innermost struct. */
extern void sw_thrift_write_bool(SwThriftWriter *writer, int field,
								 bool value);
extern void sw_thrift_write_int8(SwThriftWriter *writer, int field,
								 int8 value);
extern void sw_thrift_write_int32(SwThriftWriter *writer, int field,
								  int32 value);
extern void sw_thrift_write_int64(SwThriftWriter *writer, int field,
								  int64 value);
extern void sw_thrift_write_binary(SwThriftWriter *writer, int field,
								   const char *bytes, Size n);
extern void sw_thrift_write_cstring(SwThriftWriter *writer, int field,
									const char *text);
extern void sw_thrift_begin_struct(SwThriftWriter *writer, int field);
extern void sw_thrift_end_struct(SwThriftWriter *writer);

/* A list field: n elements must follow. */
extern void sw_thrift_begin_list(SwThriftWriter *writer, int field,
								 SwThriftType element, uint32 n);
extern void sw_thrift_add_int32(SwThriftWriter *writer, int32 value);
extern void sw_thrift_add_cstring(SwThriftWriter *writer, const char *text);

/* Ended by sw_thrift_end_struct. */
extern void sw_thrift_add_struct(SwThriftWriter *writer);

#endif							/* SW_THRIFT_H */
