# Memory of reading and encoding: values of 20 MB (100 with SW_TEST_LONG),
# tables of 1,600 columns, and columns that are large one after another take no
# more than worker_memory and three times the largest value, in files of both
# formats. The process under test is a server's, which reads as a worker does
# (test/bench/encode).
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/../..');
my $build = "$PostgreSQL::Test::Utils::tmp_check/encode";
my $worker_memory_kb = 64 * 1024;
my $value_kb = ($ENV{SW_TEST_LONG} ? 100 : 20) * 1024;

my $node = PostgreSQL::Test::Cluster->new('memory');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nshared_buffers = 16MB\nmax_wal_size = 2GB\nwal_level = minimal\nmax_wal_senders = 0\n");
$node->start;
system_or_bail('make', '-s', '-C', "$top/test/bench/encode", "BUILD=$build");
$node->safe_psql('postgres', <<"SQL");
CREATE FUNCTION bench_encode(source regclass, format text, compression text, OUT rows bigint, OUT bytes bigint)
	AS '$build/encode', 'bench_encode' LANGUAGE C;

-- 100 MB without repetitions, as bytes and as text, stored as they are.
CREATE TABLE large_bytes (k int, v bytea NOT NULL);
CREATE TABLE large_texts (k int, v text);
CREATE TABLE large_documents (k int, v jsonb);
ALTER TABLE large_bytes ALTER v SET STORAGE EXTERNAL;
ALTER TABLE large_texts ALTER v SET STORAGE EXTERNAL;
ALTER TABLE large_documents ALTER v SET STORAGE EXTERNAL;
INSERT INTO large_bytes SELECT 1, string_agg(sha256(i::text::bytea), '') FROM generate_series(1, $value_kb * 1024 / 32) AS i;
INSERT INTO large_bytes SELECT 2, v FROM large_bytes;
INSERT INTO large_texts SELECT k, left(encode(v, 'base64'), $value_kb * 1024) FROM large_bytes;
INSERT INTO large_documents SELECT k, jsonb_build_object('a', v) FROM large_texts;
INSERT INTO large_bytes SELECT 10 + i, '\\x01' FROM generate_series(1, 1000) AS i;
INSERT INTO large_texts SELECT 10 + i, 'short' FROM generate_series(1, 1000) AS i;
INSERT INTO large_documents SELECT 10 + i, '{}' FROM generate_series(1, 1000) AS i;
DO \$\$
BEGIN
	EXECUTE (SELECT format('CREATE TABLE wide (%s)', string_agg('c' || i || CASE WHEN i % 2 = 0 THEN ' text' ELSE ' smallint' END, ', '))
		FROM generate_series(1, 1600) AS i);
	EXECUTE (SELECT format('INSERT INTO wide SELECT %s FROM generate_series(1, 5000) AS n',
		string_agg(CASE WHEN i % 2 = 1 THEN '(n % 30000)::smallint' WHEN i % 20 = 0 THEN format('md5((n * %s)::text)', i) ELSE 'NULL' END, ', '))
		FROM generate_series(1, 1600) AS i);
END
\$\$;

-- 24 columns, of which another has the large values after each 3,000 rows.
DO \$\$
BEGIN
	EXECUTE (SELECT format('CREATE TABLE shifting (k int, %s)', string_agg('c' || i || ' text', ', ')) FROM generate_series(0, 23) AS i);
	EXECUTE (SELECT format('INSERT INTO shifting SELECT n, %s FROM (SELECT n, (SELECT string_agg(md5(n || '' '' || j), '''') FROM generate_series(1, 32) AS j) AS t FROM generate_series(0, 71999) AS n) AS rows',
		string_agg(format('CASE WHEN n / 3000 = %s THEN t END', i), ', ')) FROM generate_series(0, 23) AS i);
END
\$\$;
SQL

# The most memory that a process of its own ever had, in kB; and the rows and
# bytes of the file.
sub measure
{
	my ($table, $format, $compression) = @_;
	my $session = $node->background_psql('postgres', on_error_die => 1);
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	my $told = $session->query_safe("SELECT * FROM bench_encode('$table', '$format', '$compression')");
	my ($most) = slurp_file("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB/m;
	$session->quit;
	return ($most, split /\|/, $told);
}

my %rows = (large_bytes => 1002, large_texts => 1002, large_documents => 1002, wide => 5000, shifting => 72000);
foreach my $table (sort keys %rows)
{
	# What a process has that only looks at the rows.
	my ($base) = measure($table, 'scan', 'none');
	cmp_ok($base, '<', $worker_memory_kb, "$table: $base kB to begin with");
	foreach my $writer ([ 'native', 'zstd' ], [ 'native', 'lz4' ], [ 'native', 'none' ], [ 'parquet', 'zstd' ], [ 'parquet', 'lz4' ], [ 'parquet', 'snappy' ], [ 'parquet', 'none' ])
	{
		my ($most, $rows, $bytes) = measure($table, @$writer);
		my $limit = $base + $worker_memory_kb + ($table =~ /^large/ ? 3 * $value_kb : 0);
		is($rows, $rows{$table}, "$table, @$writer: rows");
		cmp_ok($bytes, '>', $table eq 'wide' ? 1e6 : $table eq 'shifting' ? 30e6 : 1.3 * 1024 * $value_kb, "$table, @$writer: $bytes bytes");
		cmp_ok($most, '<=', $limit, "$table, @$writer: $most kB of at most $limit");
	}
}

$node->stop;
done_testing();
