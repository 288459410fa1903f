# `docker build .` makes the target `full`; `--target slim` leaves TensorFlow and OpenVINO out.
FROM python:3.12-slim-trixie AS python

FROM python AS dependencies
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY pyproject.toml constraints.txt ./
# Dependencies are layers of their own: a change of our code leaves these gigabytes as they are.
# Wheels only, because the image has no compiler; they bring all libraries that Debian's slim lacks.
RUN python -m venv /opt/facematch \
    && python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > slim.txt \
    && /opt/facematch/bin/pip install --only-binary :all: --constraint constraints.txt --requirement slim.txt

FROM dependencies AS dependencies-full
RUN python -c "import tomllib; extras = tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']; print(*extras['tensorflow'], *extras['openvino'], sep='\n')" > full.txt \
    && /opt/facematch/bin/pip install --only-binary :all: --constraint constraints.txt --requirement full.txt

FROM python AS package
WORKDIR /build
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /dist .

FROM python AS runtime
# HOST in the environment, so that `docker run IMAGE serve --model ArcFace` is reachable too.
ENV PATH=/opt/facematch/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FACEMATCH_HOME=/var/lib/facematch \
    HOST=0.0.0.0
RUN useradd --uid 10001 --create-home --home-dir /var/lib/facematch --shell /usr/sbin/nologin facematch
# The only place that is written to, besides /tmp: weights, and the embedded database where one runs.
VOLUME /var/lib/facematch
WORKDIR /var/lib/facematch
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5m \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT') or 8000}/health\", timeout=4)"]
ENTRYPOINT ["facematch"]
CMD ["serve"]

FROM runtime AS slim
COPY --from=dependencies /opt/facematch /opt/facematch
RUN --mount=type=bind,from=package,source=/dist,target=/dist \
    pip install --no-cache-dir --no-deps --no-index /dist/*.whl
USER 10001:10001

FROM runtime AS full
COPY --from=dependencies-full /opt/facematch /opt/facematch
RUN --mount=type=bind,from=package,source=/dist,target=/dist \
    pip install --no-cache-dir --no-deps --no-index /dist/*.whl
USER 10001:10001
