# prom/alertmanager, without its shell.
FROM scratch
COPY passwd/ /etc/
COPY bin/alertmanager /bin/
COPY --chown=65534:65534 empty /alertmanager
USER nobody
WORKDIR /alertmanager
ENTRYPOINT ["/bin/alertmanager"]
CMD ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]
