# glibc: several wheels, PostgreSQL's client programs among them, are built for it.
FROM python:3.13-slim-bookworm AS build
WORKDIR /marrow
COPY deploy/requirements.lock ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
       --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable .

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin marrow \
    && install --directory --owner=marrow /anchors
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /marrow
COPY --from=build /venv /venv
COPY --from=build /marrow /marrow
COPY migrations migrations
COPY forms forms
COPY deploy deploy
USER marrow
VOLUME /anchors
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "deploy/healthy.py", "live"]
# The image holds no secret and no default for one: MARROW_DATABASE_URL comes from where it runs.
CMD ["marrow", "serve", "--host", "0.0.0.0", "--port", "8000", "--workers", "4"]
