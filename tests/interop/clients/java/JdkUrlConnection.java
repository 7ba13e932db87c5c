// The JDK's HttpURLConnection, which streams the uploads.
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;

final class JdkUrlConnection {
    public static void main(String[] arguments) throws Exception {
        Steps.serve(arguments, JdkUrlConnection::send);
    }

    static Steps.Answer send(Steps.Request step) throws Exception {
        var connection = (HttpURLConnection) URI.create(step.url()).toURL().openConnection();
        connection.setReadTimeout(Steps.TIMEOUT_SECONDS * 1000);
        connection.setRequestMethod(step.method());
        if (!step.token().isEmpty()) {
            connection.setRequestProperty("Authorization", "Bearer " + step.token());
        }
        if (!step.data().isEmpty()) {
            byte[] body = step.encoded();
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", step.contentType());
            if (step.isUpload()) {
                connection.setFixedLengthStreamingMode(body.length);
            }
            try (OutputStream out = connection.getOutputStream()) {
                out.write(body);
            }
        }
        int status = connection.getResponseCode();
        // A streamed request that is answered 401 has no stream.
        try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return new Steps.Answer(status, in == null ? new byte[0] : in.readAllBytes());
        }
    }
}
