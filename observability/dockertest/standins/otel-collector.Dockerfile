# otel/opentelemetry-collector-contrib: the Collector, certificates, and nothing else.
FROM scratch
COPY golang/etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY bin/otelcol /otelcol-contrib
USER 10001:10001
ENTRYPOINT ["/otelcol-contrib"]
CMD ["--config", "/etc/otelcol-contrib/config.yaml"]
