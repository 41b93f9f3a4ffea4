/*-------------------------------------------------------------------------
 *
 * sw_status.c
 *	  Fill an SwError, and name a status.
 *
 * Pure: never throws, allocates nothing.  See sw_status.h for the contract.
 *
 *-------------------------------------------------------------------------
 */
#ifndef FRONTEND
#include "postgres.h"
#else
#include "postgres_fe.h"
#endif

#include "common/sw_status.h"

/*
 * Format into a field of fixed size.  A text that does not fit is cut
 * before the first UTF-8 character that is incomplete.
 */
static void sw_error_format(char *field, Size size, const char *fmt,
							va_list args) pg_attribute_printf(3, 0);

static void
sw_error_format(char *field, Size size, const char *fmt, va_list args)
{
	int			needed = vsnprintf(field, size, fmt, args);
	Size		end;
	Size		width;

	if (needed < 0)
	{
		field[0] = '\0';
		return;
	}
	if ((Size) needed < size)
		return;

	/* Walk back to the first byte of the last character. */
	end = size - 1;
	while (end > 0 && ((unsigned char) field[end - 1] & 0xC0) == 0x80)
		end--;
	if (end == 0)
		return;
	end--;

	if (((unsigned char) field[end] & 0x80) == 0)
		width = 1;
	else if (((unsigned char) field[end] & 0xE0) == 0xC0)
		width = 2;
	else if (((unsigned char) field[end] & 0xF0) == 0xE0)
		width = 3;
	else
		width = 4;
	if (end + width > size - 1)
		field[end] = '\0';
}

SwStatus
sw_error_set(SwError *err, SwStatus status, SwRetry retry,
			 const char *fmt,...)
{
	va_list		args;

	err->status = status;
	err->retry = retry;
	err->remote_code = 0;
	err->detail[0] = '\0';
	err->hint[0] = '\0';

	va_start(args, fmt);
	sw_error_format(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	return status;
}

void
sw_error_set_detail(SwError *err, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	sw_error_format(err->detail, sizeof(err->detail), fmt, args);
	va_end(args);
}

void
sw_error_set_hint(SwError *err, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	sw_error_format(err->hint, sizeof(err->hint), fmt, args);
	va_end(args);
}

const char *
sw_status_name(SwStatus status)
{
	switch (status)
	{
		case SW_OK:
			return "ok";
		case SW_ERR_CONNECT:
			return "connect";
		case SW_ERR_TLS:
			return "tls";
		case SW_ERR_LOST:
			return "lost";
		case SW_ERR_TIMEOUT:
			return "timeout";
		case SW_ERR_PROTOCOL:
			return "protocol";
		case SW_ERR_AUTH:
			return "auth";
		case SW_ERR_DENIED:
			return "denied";
		case SW_ERR_MISSING:
			return "missing";
		case SW_ERR_REMOTE:
			return "remote";
		case SW_ERR_STORE:
			return "store";
		case SW_ERR_CONFIG:
			return "config";
		case SW_ERR_UNSUPPORTED:
			return "unsupported";
		case SW_ERR_RANGE:
			return "range";
		case SW_ERR_DATA:
			return "data";
		case SW_ERR_LIMIT:
			return "limit";
		case SW_ERR_IO:
			return "io";
		case SW_ERR_MISMATCH:
			return "mismatch";
		case SW_ERR_BUG:
			return "bug";
	}
	return "unknown";
}
