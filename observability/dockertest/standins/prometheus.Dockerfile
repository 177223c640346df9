# prom/prometheus, without its shell and web pages.
FROM scratch
COPY passwd/ /etc/
COPY bin/prometheus bin/promtool /bin/
COPY --chown=65534:65534 empty /prometheus
USER nobody
WORKDIR /prometheus
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
