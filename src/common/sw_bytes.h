/*-------------------------------------------------------------------------
 *
 * sw_bytes.h
 *	  Bytes: a growable write buffer and a bounds-checked read cursor.
 *
 * The only place that does pointer arithmetic on bytes that come from or
 * go to a peer or a file.  Fixed-width integers are little-endian; varuint
 * is LEB128 (7 bits a byte, low bits first, at most 10 bytes); a string is
 * a varuint length followed by that many bytes.
 *
 * Reading never throws and never allocates.  Writing may throw in the
 * server only when memory runs out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SW_BYTES_H
#define SW_BYTES_H

/* Longest encoding of a varuint. */
#define SW_VARUINT_MAX_BYTES 10

/*
 * repalloc without the 1 GB limit of the server.  The chunk stays in its
 * context.
 */
#ifdef FRONTEND
#define sw_repalloc_huge(pointer, size) repalloc(pointer, size)
#else
#define sw_repalloc_huge(pointer, size) repalloc_huge(pointer, size)
#endif

/* ---- write buffer ---- */

/*
 * The bytes written so far are data[0 .. len).  The memory belongs to the
 * context that was current at init, whatever is current later.
 */
typedef struct SwBuffer
{
	char	   *data;
	Size		len;			/* bytes in use */
	Size		allocated;		/* bytes there is room for */
} SwBuffer;

extern void sw_buffer_init(SwBuffer *buffer);

/* Forget the content, keep the memory. */
extern void sw_buffer_reset(SwBuffer *buffer);

/* Give the memory back; init makes it usable again. */
extern void sw_buffer_free(SwBuffer *buffer);

/*
 * Forget the content, and give back memory above max_bytes, so that one
 * giant value isn't paid for until the end.
 */
extern void sw_buffer_trim(SwBuffer *buffer, Size max_bytes);

/*
 * Make room for n more bytes and return where they go.  The caller writes
 * there and adds what it wrote to buffer->len itself.
 */
extern char *sw_buffer_reserve(SwBuffer *buffer, Size n);

/* Drop the first n bytes (n <= len): what the socket has taken. */
extern void sw_buffer_consume(SwBuffer *buffer, Size n);

extern void sw_buffer_append_bytes(SwBuffer *buffer, const void *bytes,
								   Size n);
extern void sw_buffer_append_uint8(SwBuffer *buffer, uint8 value);
extern void sw_buffer_append_uint32(SwBuffer *buffer, uint32 value);
extern void sw_buffer_append_uint64(SwBuffer *buffer, uint64 value);
extern void sw_buffer_append_varuint(SwBuffer *buffer, uint64 value);

/* varuint length, then the bytes */
extern void sw_buffer_append_string(SwBuffer *buffer, const char *bytes,
									Size n);

/* the same for a NUL-terminated string; NULL is written as '' */
extern void sw_buffer_append_cstring(SwBuffer *buffer, const char *text);

/* ---- read cursor ---- */

/*
 * What became of a read.  On MORE and BAD the cursor and the outputs are
 * as they were before the call, so after MORE the same call can be made
 * again once more bytes are there.
 */
typedef enum SwReadResult
{
	SW_READ_OK = 0,
	SW_READ_MORE,				/* good so far, but the bytes end too early */
	SW_READ_BAD					/* no continuation can make it valid */
} SwReadResult;

/* Borrows the bytes; what it hands out points into them. */
typedef struct SwReader
{
	const char *data;
	Size		len;			/* bytes there are */
	Size		position;		/* next byte to read, <= len */
} SwReader;

extern void sw_reader_init(SwReader *reader, const void *data, Size len);

static inline Size
sw_reader_remaining(const SwReader *reader)
{
	return reader->len - reader->position;
}

extern SwReadResult sw_reader_read_uint8(SwReader *reader, uint8 *value);
extern SwReadResult sw_reader_read_uint32(SwReader *reader, uint32 *value);

/* BAD when the encoding goes beyond 64 bits. */
extern SwReadResult sw_reader_read_varuint(SwReader *reader, uint64 *value);

/* n raw bytes; *bytes points into the reader's data. */
extern SwReadResult sw_reader_read_bytes(SwReader *reader, Size n,
										 const char **bytes);

/* Varuint length, then the bytes; BAD when longer than max_bytes. */
extern SwReadResult sw_reader_read_string(SwReader *reader, Size max_bytes,
										  const char **bytes, Size *n);

#endif							/* SW_BYTES_H */
