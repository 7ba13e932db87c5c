// The JDK's HttpClient, which asks for `Upgrade: h2c`:
// java JdkHttpClient.java ADDRESS PICTURE DAY GOOD BAD
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

class JdkHttpClient {
    static final HttpClient CLIENT = HttpClient.newHttpClient();
    static final String PART = "--frontier\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n";

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0] + "/v1/media/creatives", day = arguments[2];
        String good = arguments[3], bad = arguments[4];
        HttpRequest.BodyPublisher form = HttpRequest.BodyPublishers.ofByteArrays(List.of(
            PART.formatted("file", "; filename=\"my photo.png\"").getBytes(),
            Files.readAllBytes(Path.of(arguments[1])),
            ("\r\n" + PART.formatted("scheduled_at", "") + day + "\r\n--frontier--\r\n").getBytes()));
        call("upload", url, good, form);
        call("refused", url, bad, form);
        call("again", url, good, form);
        call("list", url, good, null);
        Thread.sleep(2000);
        call("idle", url, good, null);
    }

    static void call(String step, String url, String token, HttpRequest.BodyPublisher form)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url))
            .timeout(Duration.ofSeconds(60)).header("Authorization", "Bearer " + token);
        if (form != null) {
            request.header("Content-Type", "multipart/form-data; boundary=frontier").POST(form);
        }
        HttpResponse<String> answer =
            CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
        System.out.println(step + " " + answer.statusCode());
    }
}
