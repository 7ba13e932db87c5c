// The JDK's HttpClient, which asks for `Upgrade: h2c`.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;

final class JdkHttpClient {
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        Steps.serve(arguments, JdkHttpClient::send);
    }

    static Steps.Answer send(Steps.Request step) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(step.url()))
            .timeout(Duration.ofSeconds(Steps.TIMEOUT_SECONDS));
        if (!step.token().isEmpty()) {
            request.header("Authorization", "Bearer " + step.token());
        }
        if (step.data().isEmpty()) {
            request.method(step.method(), BodyPublishers.noBody());
        } else {
            request.header("Content-Type", step.contentType());
            request.method(step.method(), BodyPublishers.ofByteArray(step.encoded()));
        }
        HttpResponse<byte[]> answer =
            CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        return new Steps.Answer(answer.statusCode(), answer.body());
    }
}
