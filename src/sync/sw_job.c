/*-------------------------------------------------------------------------
 *
 * sw_job.c
 *	  Short errands to a peer on behalf of a session that waits for them.
 *
 * The shared memory segment of a job:
 *
 *	   SwJobHeader | request, packed | message queue of the replies
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/shm_mq.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "catalog/sw_field.h"
#include "net/sw_wait.h"
#include "sync/sw_job.h"

#define QUEUE_BYTES (64 * 1024)

/* How often a session looks whether its worker came to be. */
#define LOOK_MS 1000

typedef struct SwJobHeader
{
	Oid			database;
	int			kind;
	int			has_pipeline;
	int			request_bytes;
	volatile int worker_pid;	/* 0: not there yet */
	volatile int is_abandoned;	/* the session has left */
	volatile int is_finished;	/* the worker has said all */
} SwJobHeader;

struct SwJob
{
	dsm_segment *segment;
	SwJobHeader *header;
	shm_mq_handle *queue;
	BackgroundWorkerHandle *worker;
};

struct SwJobChannel
{
	dsm_segment *segment;
	SwJobHeader *header;
	shm_mq_handle *queue;
};

#define FIELD(member, type, sql_type) \
	{#member, type, sql_type, offsetof(SwJobReply, member)}

static const SwField reply_fields[] = {
	FIELD(step, SW_FIELD_INT32, INT4OID),
	FIELD(name, SW_FIELD_TEXT, TEXTOID),
	FIELD(status, SW_FIELD_TEXT, TEXTOID),
	FIELD(elapsed_us, SW_FIELD_INT64, INT8OID),
	FIELD(sqlstate, SW_FIELD_TEXT, TEXTOID),
	FIELD(message, SW_FIELD_TEXT, TEXTOID),
	FIELD(detail, SW_FIELD_TEXT, TEXTOID),
	FIELD(hint, SW_FIELD_TEXT, TEXTOID)
};

static char *
request_area(SwJobHeader *header)
{
	return (char *) header + MAXALIGN(sizeof(SwJobHeader));
}

static shm_mq *
queue_area(SwJobHeader *header)
{
	return (shm_mq *) (request_area(header) + MAXALIGN(header->request_bytes));
}

/* ---- session ---- */

/*
 * Runs when the segment goes, for whatever reason.  The worker looks at the
 * flag after it has said who it is; so either it sees the flag, or we see it.
 */
static void
abandon(dsm_segment *segment, Datum arg)
{
	SwJobHeader *header = dsm_segment_address(segment);
	SwJob	   *job = (SwJob *) DatumGetPointer(arg);
	pid_t		pid;

	header->is_abandoned = true;
	pg_memory_barrier();
	if (header->is_finished || job->worker == NULL)
		return;
	switch (GetBackgroundWorkerPid(job->worker, &pid))
	{
		case BGWH_STARTED:
			if (header->worker_pid == pid)
				kill(pid, SIGINT);
			break;
		case BGWH_NOT_YET_STARTED:
			TerminateBackgroundWorker(job->worker);
			break;
		default:
			break;
	}
}

static void
start_worker(SwJob *job)
{
	BackgroundWorker worker = {0};

	snprintf(worker.bgw_name, BGW_MAXLEN, "sensorswave_export errand");
	snprintf(worker.bgw_type, BGW_MAXLEN, "sensorswave_export errand");
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "sensorswave_export",
			sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "sw_job_worker_main",
			sizeof(worker.bgw_function_name));
	worker.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(job->segment));
	worker.bgw_notify_pid = MyProcPid;
	if (!RegisterDynamicBackgroundWorker(&worker, &job->worker))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("could not start a background worker"),
				 errhint("Raise max_worker_processes, or try again later.")));
}

SwJob *
sw_job_start(const SwJobRequest *request)
{
	SwJob	   *job;
	MemoryContext saved;
	StringInfoData bytes;
	SwJobHeader *header;
	shm_mq	   *queue;

	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot talk to a warehouse from a standby server"),
				 errhint("Do it on the primary server.")));
	initStringInfo(&bytes);
	sw_cat_destination_pack(request->destination, &bytes);
	if (request->pipeline != NULL)
		sw_cat_pipeline_pack(request->pipeline, &bytes);

	/* abandon() looks at it when the portal's memory is gone already. */
	saved = MemoryContextSwitchTo(TopTransactionContext);
	job = palloc0(sizeof(SwJob));
	job->segment = dsm_create(MAXALIGN(sizeof(SwJobHeader)) +
							  MAXALIGN(bytes.len) + QUEUE_BYTES, 0);
	header = job->header = dsm_segment_address(job->segment);
	memset(header, 0, sizeof(*header));
	header->database = MyDatabaseId;
	header->kind = request->kind;
	header->has_pipeline = request->pipeline != NULL;
	header->request_bytes = bytes.len;
	memcpy(request_area(header), bytes.data, bytes.len);
	queue = shm_mq_create(queue_area(header), QUEUE_BYTES);
	shm_mq_set_receiver(queue, MyProc);
	job->queue = shm_mq_attach(queue, job->segment, NULL);
	on_dsm_detach(job->segment, abandon, PointerGetDatum(job));
	start_worker(job);
	MemoryContextSwitchTo(saved);
	return job;
}

SwJobReply *
sw_job_receive(SwJob *job, int64 deadline_ms, bool *was_lost_out)
{
	for (;;)
	{
		Size		len;
		void	   *data;
		shm_mq_result result = shm_mq_receive(job->queue, &len, &data, true);
		pid_t		pid;

		/* What it said just before it ended still counts. */
		if (result == SHM_MQ_WOULD_BLOCK &&
			GetBackgroundWorkerPid(job->worker, &pid) == BGWH_STOPPED)
		{
			result = shm_mq_receive(job->queue, &len, &data, true);
			if (result == SHM_MQ_WOULD_BLOCK)
				result = SHM_MQ_DETACHED;
		}
		if (result == SHM_MQ_SUCCESS)
		{
			SwJobReply *reply = palloc0(sizeof(SwJobReply));
			StringInfoData bytes;

			initStringInfo(&bytes);
			appendBinaryStringInfo(&bytes, data, (int) len);
			sw_field_unpack(reply_fields, lengthof(reply_fields), &bytes, reply);
			return reply;
		}
		if (result == SHM_MQ_DETACHED)
		{
			*was_lost_out = !job->header->is_finished;
			return NULL;
		}
		if (sw_wait_now_ms() >= deadline_ms)
			ereport(ERROR,
					(errcode(ERRCODE_QUERY_CANCELED),
					 errmsg("warehouse and store did not answer in time"),
					 errhint("Check host, port and network, then try again.")));
		(void) sw_wait(PGINVALID_SOCKET, false, false,
					   Min(deadline_ms, sw_wait_now_ms() + LOOK_MS),
					   SW_WAIT_EVENT_RUN);
	}
}

void
sw_job_end(SwJob *job)
{
	dsm_detach(job->segment);
}

int
sw_job_sqlstate(const SwJobReply *reply)
{
	const char *s = reply->sqlstate;

	if (s == NULL || strlen(s) != 5)
		return ERRCODE_INTERNAL_ERROR;
	return MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4]);
}

/* ---- worker ---- */

SwJobChannel *
sw_job_attach(Datum main_arg)
{
	SwJobChannel *channel = palloc0(sizeof(SwJobChannel));
	shm_mq	   *queue;

	if (CurrentResourceOwner == NULL)
		CurrentResourceOwner = ResourceOwnerCreate(NULL, "sensorswave_export errand");
	channel->segment = dsm_attach(DatumGetUInt32(main_arg));
	if (channel->segment == NULL)
		return NULL;
	/* It must outlive the transactions of the work. */
	dsm_pin_mapping(channel->segment);
	channel->header = dsm_segment_address(channel->segment);
	queue = queue_area(channel->header);
	shm_mq_set_sender(queue, MyProc);
	channel->queue = shm_mq_attach(queue, channel->segment, NULL);
	return channel;
}

Oid
sw_job_database(const SwJobChannel *channel)
{
	return channel->header->database;
}

SwJobRequest *
sw_job_take_request(SwJobChannel *channel)
{
	SwJobHeader *header = channel->header;
	SwJobRequest *request = palloc0(sizeof(SwJobRequest));
	StringInfoData bytes;

	header->worker_pid = MyProcPid;
	pg_memory_barrier();
	if (header->is_abandoned)
		return NULL;

	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, request_area(header), header->request_bytes);
	request->kind = (SwJobKind) header->kind;
	request->destination = sw_cat_destination_unpack(&bytes);
	if (header->has_pipeline)
		request->pipeline = sw_cat_pipeline_unpack(&bytes);
	return request;
}

void
sw_job_reply(SwJobChannel *channel, const SwJobReply *reply)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	sw_field_pack(reply_fields, lengthof(reply_fields), reply, &bytes);
	/* The queue holds all replies of a job: a full one would be a bug. */
	if (shm_mq_send(channel->queue, bytes.len, bytes.data, true, true) == SHM_MQ_WOULD_BLOCK)
		elog(ERROR, "reply does not fit the queue");
	pfree(bytes.data);
}

void
sw_job_finish(SwJobChannel *channel)
{
	channel->header->is_finished = true;
	pg_memory_barrier();
	dsm_detach(channel->segment);
}
