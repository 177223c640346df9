# golang:…-alpine: the toolchain, a shell, certificates, and instead of the module proxy the modules.
FROM scratch
COPY golang /
ENV PATH=/usr/local/go/bin:/bin GOPATH=/go GOTOOLCHAIN=local GOPROXY=file:///modules GOSUMDB=off
WORKDIR /go
