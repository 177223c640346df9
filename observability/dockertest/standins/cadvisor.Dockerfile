# ghcr.io/google/cadvisor, without its shell: the entry point passes on its arguments.
FROM scratch
COPY bin/cadvisor /usr/bin/cadvisor
ENTRYPOINT ["/usr/bin/cadvisor", "-logtostderr"]
