# haproxy:…-alpine: Debian's HAProxy; the entry point adds the same two options.
FROM scratch
COPY haproxy /
USER 99:99
ENTRYPOINT ["haproxy", "-W", "-db"]
STOPSIGNAL SIGUSR1
CMD ["-f", "/usr/local/etc/haproxy/haproxy.cfg"]
