"""A client of PostgreSQL that begins with TLS: much in both directions, over one connection.

Arguments: the name of the host, its address and port, and the file of the certificate to trust.
"""

import sys

import psycopg

host, address, port, authority = sys.argv[1:]
with psycopg.connect(
    host=host,
    hostaddr=address,
    port=port,
    user="shop",
    dbname="postgres",
    sslmode="verify-full",
    sslrootcert=authority,
    sslnegotiation="direct",
    connect_timeout=20,
) as connection:
    rows = [(number, str(number * 7)) for number in range(100_000)]
    connection.execute("CREATE TEMPORARY TABLE direct (number integer, name text)")
    with connection.cursor() as cursor:
        with cursor.copy("COPY direct FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        assert cursor.execute("SELECT * FROM direct ORDER BY number").fetchall() == rows
        # The server knows nothing of it.
        (within_tls,) = cursor.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert not within_tls
print(len(rows), "rows")
