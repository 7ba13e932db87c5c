# auth_service. The build context is the checkout: docker build -f deploy/auth_service.Dockerfile .

FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements/auth.txt requirements.txt
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --no-cache-dir --require-hashes -r requirements.txt
COPY shared app/shared
COPY migrations app/migrations
COPY deploy/*.py app/deploy/
COPY auth_service app/auth_service
RUN python -m compileall -q app && chmod -R a+rX app

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Cheershare auth_service" \
      org.opencontainers.image.description="One-time codes, sessions, tokens; also creates secrets and migrates (deploy/*.py)" \
      org.opencontainers.image.licenses="MIT"
# A new volume takes the owner of its mount point: the user of every process.
RUN install -d -o 10001 -g 10001 /keys/auth /keys/signing /keys/media /keys/jwks \
    /keys/postgres /keys/redis /keys/store
COPY --from=build /venv /venv
COPY --from=build /build/app /app
WORKDIR /app
# A name server that never answers holds a thread of webhooks for 4 seconds, not for 10.
ENV PATH=/venv/bin:$PATH RES_OPTIONS="timeout:2 attempts:2" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8000
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=2s --timeout=5s --start-period=30s --retries=5 \
  CMD ["python", "-IS", "/app/shared/health_check.py"]
ENTRYPOINT ["python", "-m"]
CMD ["auth_service", "serve"]
