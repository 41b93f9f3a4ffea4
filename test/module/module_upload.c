/*-------------------------------------------------------------------------
 *
 * module_upload.c
 *	  sw_test_upload: uploads of files, or of bytes by chance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/sw_wait.h"
#include "store/sw_upload.h"

#include "module.h"

PG_FUNCTION_INFO_V1(sw_test_upload);

/* One object on its way. */
typedef struct Object
{
	int			fd;				/* -1 = bytes by chance */
	int64		n_bytes;
	int64		n_released;
	SwUpload   *upload;
} Object;

/* Eight bytes of an endless file: a function of their position. */
static uint64
chance(uint64 position)
{
	position *= UINT64CONST(0x9E3779B97F4A7C15);
	position ^= position >> 29;
	position *= UINT64CONST(0xBF58476D1CE4E5B9);
	return position ^ (position >> 32);
}

static int
read_object(void *arg, int64 offset, char *buf, int len)
{
	Object	   *object = (Object *) arg;

	if (offset < object->n_released)
	{
		errno = ESTALE;			/* it was promised not to */
		return -1;
	}
	if (object->fd >= 0)
		return (int) pread(object->fd, buf, len, offset);
	for (int i = 0; i < len;)
	{
		uint64		word = chance((uint64) (offset + i) / 8);
		int			from = (int) ((offset + i) % 8);
		int			n = Min(8 - from, len - i);

		memcpy(buf + i, (char *) &word + from, n);
		i += n;
	}
	return len;
}

static void
release_object(void *arg, int64 offset)
{
	((Object *) arg)->n_released = offset;
}

/* A line of this process's status, in kilobytes. */
static int64
read_memory(const char *field)
{
	FILE	   *file = fopen("/proc/self/status", "r");
	char		line[256];
	int64		value = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, field, strlen(field)) == 0)
			value = strtoi64(line + strlen(field), NULL, 10);
	if (file != NULL)
		fclose(file);
	return value;
}

/* From here on VmHWM counts anew. */
static void
reset_peak(void)
{
	FILE	   *file = fopen("/proc/self/clear_refs", "w");

	if (file == NULL || fputs("5", file) < 0 || fclose(file) != 0)
		elog(ERROR, "could not reset the peak of memory: %m");
}

static double
cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
		(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Bytes come into being step by step, in all objects alike. */
static SwStatus
produce(const ModuleOptions *options, Object *objects, int n_objects,
		SwError *err)
{
	int64		step = module_number(options, "step_bytes", 0);
	int64		abort_at = module_number(options, "abort_at", -1);
	int64		pause_ms = module_number(options, "pause_ms", 0);
	bool		end_early = module_number(options, "end_early", 0) != 0;
	bool		has_more = step > 0;

	for (int64 n = step; has_more; n += step)
	{
		int64		until_ms = sw_wait_deadline(pause_ms);

		has_more = false;
		for (int i = 0; i < n_objects; i++)
		{
			int64		n_now = Min(n, objects[i].n_bytes);

			if (end_early && n_now == objects[i].n_bytes)
				sw_upload_set_end(objects[i].upload, n_now);
			SW_TRY(sw_upload_advance(objects[i].upload, n_now, err));
			has_more = has_more || n_now < objects[i].n_bytes;
		}
		if (abort_at >= 0 && n >= abort_at)
			return SW_OK;
		while (pause_ms > 0 &&
			   sw_wait(PGINVALID_SOCKET, false, false, until_ms,
					   SW_WAIT_EVENT_STORE) != SW_WAIT_DEADLINE)
			continue;
	}
	return SW_OK;
}

/* Finish one, and abort it where that fails, as everybody is to do. */
static bool
end_upload(FunctionCallInfo fcinfo, Object *object, bool is_aborted,
		   SwError *err)
{
	SwUploadResult result;
	const char *id = sw_upload_id(object->upload);
	SwStatus	status = SW_OK;

	module_say(fcinfo, "id=%s", id != NULL ? id : "");
	module_say(fcinfo, "done_before=%d", sw_upload_is_done(object->upload));
	if (!is_aborted)
		status = sw_upload_finish(object->upload, object->n_bytes, &result,
								  err);
	if (!is_aborted && status == SW_OK)
	{
		module_say(fcinfo, "bytes=%lld", (long long) result.n_bytes);
		module_say(fcinfo, "parts=%d", result.n_parts);
		module_say(fcinfo, "crc64=%llu", (unsigned long long) result.crc64);
		module_say(fcinfo, "released=%lld", (long long) object->n_released);
		return true;
	}
	if (status != SW_OK)
		module_say_error(fcinfo, "failed", err);
	if (sw_upload_abort(object->upload, err) == SW_OK)
		module_say(fcinfo, "aborted=yes");
	else
		module_say_error(fcinfo, "aborted", err);
	return is_aborted;
}

Datum
sw_test_upload(PG_FUNCTION_ARGS)
{
	ModuleOptions options;
	SwUploadOptions upload_options;
	SwStore    *store;
	const char *key;
	const char *file;
	Object	   *objects;
	int			n_objects;
	int64		memory;
	int64		started_ms;
	double		cpu;
	SwError		err;
	SwStatus	status;
	bool		is_aborted;

	module_get_options(fcinfo, 0, &options);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	key = module_text(&options, "key", "test/object");
	file = module_text(&options, "file", NULL);
	n_objects = (int) module_number(&options, "uploads", 1);
	is_aborted = module_text(&options, "abort_at", NULL) != NULL;
	upload_options.part_bytes = module_number(&options, "part_bytes", 0);
	upload_options.parts_in_flight = (int) module_number(&options, "parts", 0);
	if (module_open_store(&options, &store, &err) != SW_OK)
		elog(ERROR, "%s", err.message);
	objects = palloc0(sizeof(Object) * n_objects);

	reset_peak();
	memory = read_memory("VmHWM:");
	started_ms = sw_wait_now_ms();
	cpu = cpu_seconds();
	for (int i = 0; i < n_objects; i++)
	{
		Object	   *object = &objects[i];
		SwUploadSource source = {read_object, release_object, object};
		struct stat found;

		object->fd = -1;
		object->n_bytes = module_number(&options, "bytes", 0);
		if (file != NULL)
		{
			object->fd = open(file, O_RDONLY | O_CLOEXEC);
			if (object->fd < 0 || fstat(object->fd, &found) != 0)
				elog(ERROR, "could not open %s: %m", file);
			object->n_bytes = found.st_size;
		}
		if (sw_upload_begin(store, n_objects == 1 ? key : psprintf("%s-%d", key, i),
							&source, &upload_options, CurrentMemoryContext,
							&object->upload, &err) != SW_OK)
			elog(ERROR, "%s", err.message);
	}
	status = produce(&options, objects, n_objects, &err);
	if (status != SW_OK)
		module_say_error(fcinfo, "advance", &err);
	for (int i = 0; i < n_objects; i++)
	{
		if (!end_upload(fcinfo, &objects[i], is_aborted, &err))
			status = SW_ERR_STORE;
		if (objects[i].fd >= 0)
			close(objects[i].fd);
	}
	module_say(fcinfo, "ms=%lld", (long long) (sw_wait_now_ms() - started_ms));
	module_say(fcinfo, "cpu_s=%.3f", cpu_seconds() - cpu);
	module_say(fcinfo, "memory_kb=%lld",
			   (long long) (read_memory("VmHWM:") - memory));
	for (int i = 0; i < n_objects; i++)
		sw_upload_destroy(objects[i].upload);
	sw_store_close(store);
	module_say(fcinfo, "status=%s", status == SW_OK ? "ok" : "failed");
	return (Datum) 0;
}
