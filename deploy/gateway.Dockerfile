# The gateway: nginx with our configuration and the start page.
#   docker build -f deploy/gateway.Dockerfile .

FROM nginx:1.28
LABEL org.opencontainers.image.title="Cheershare gateway" \
      org.opencontainers.image.description="The only public address: routes, limits, TLS, files" \
      org.opencontainers.image.licenses="MIT"
COPY deploy/gateway/nginx.conf deploy/gateway/proxy.conf deploy/gateway/routes.conf \
     deploy/gateway/problem.conf /etc/nginx/
COPY deploy/gateway/templates /etc/nginx/templates
COPY deploy/gateway/servers /etc/nginx/servers
COPY deploy/gateway/entrypoint.sh /usr/local/bin/gateway
COPY deploy/local/page /usr/share/nginx/page
RUN chmod -R a+rX /etc/nginx /usr/share/nginx/page /usr/local/bin/gateway
# The user of the services, so that nginx may read media_service's files.
USER 10001:10001
EXPOSE 8080 8443
# SIGQUIT lets nginx finish its requests.
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s --retries=5 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8081 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && read -r line <&3 && echo \"$line\" && [[ $line == *' 204 '* ]]"]
ENTRYPOINT ["gateway"]
CMD ["nginx", "-g", "daemon off;"]
