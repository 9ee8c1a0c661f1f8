# imagesync as an image: the versions that CI ran with, their hashes checked, as nobody in particular.
FROM python:3.13-slim@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285 AS build
WORKDIR /src
COPY requirements ./requirements
RUN python -m venv --without-pip /opt/imagesync \
    && pip --python /opt/imagesync/bin/python install --no-cache-dir --compile --require-hashes \
        --requirement requirements/run.txt
RUN pip install --no-cache-dir --require-hashes --requirement requirements/release.txt
COPY pyproject.toml README.md LICENSE ./
COPY imagesync ./imagesync
RUN python -m build --no-isolation --wheel --outdir /wheels \
    && pip --python /opt/imagesync/bin/python install --no-cache-dir --compile --no-deps /wheels/*.whl

FROM python:3.13-slim@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285
COPY --from=build /opt/imagesync /opt/imagesync
ENV PATH=/opt/imagesync/bin:$PATH PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["imagesync"]
CMD ["--help"]
