# postgres: the server's programs, and as much of the entry point as is used here.
FROM scratch
COPY postgres /
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
COPY --chown=999:999 empty /var/lib/postgresql/data
COPY --chown=999:999 empty /var/run/postgresql
RUN ["/bin/busybox", "chmod", "3777", "/var/run/postgresql"]
ENV PATH=/usr/local/bin:/usr/lib/postgresql/15/bin:/bin PGDATA=/var/lib/postgresql/data
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
CMD ["postgres"]
