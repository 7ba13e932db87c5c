# media_service. The build context is the checkout: docker build -f deploy/media_service.Dockerfile .

FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements/media.txt requirements.txt
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --no-cache-dir --require-hashes -r requirements.txt
COPY shared app/shared
COPY media_service app/media_service
RUN python -m compileall -q app && chmod -R a+rX app

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Cheershare media_service" \
      org.opencontainers.image.description="Stores pictures, keeps the schedule, serves the files" \
      org.opencontainers.image.licenses="MIT"
# A new volume takes the owner of its mount point: the user of every process.
RUN install -d -o 10001 -g 10001 /files
COPY --from=build /venv /venv
COPY --from=build /build/app /app
WORKDIR /app
# A name server that never answers holds a thread of webhooks for 4 seconds, not for 10.
ENV PATH=/venv/bin:$PATH RES_OPTIONS="timeout:2 attempts:2" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8001
USER 10001:10001
EXPOSE 8001
HEALTHCHECK --interval=2s --timeout=5s --start-period=30s --retries=5 \
  CMD ["python", "-IS", "/app/shared/health_check.py"]
ENTRYPOINT ["python", "-m"]
CMD ["media_service", "serve"]
