// The JDK's HttpURLConnection: java JdkUrlConnection.java ADDRESS PICTURE DAY GOOD BAD
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

class JdkUrlConnection {
    static final String PART = "--frontier\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n";

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0] + "/v1/media/creatives", good = arguments[3], bad = arguments[4];
        byte[] head = PART.formatted("file", "; filename=\"my photo.png\"").getBytes();
        byte[] tail = ("\r\n" + PART.formatted("scheduled_at", "") + arguments[2]
            + "\r\n--frontier--\r\n").getBytes();
        byte[][] form = {head, Files.readAllBytes(Path.of(arguments[1])), tail};
        call("upload", url, good, form);
        call("refused", url, bad, form);
        call("again", url, good, form);
        call("list", url, good, null);
        Thread.sleep(2000);
        call("idle", url, good, null);
    }

    static void call(String step, String url, String token, byte[][] form) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
        connection.setReadTimeout(60_000);
        connection.setRequestProperty("Authorization", "Bearer " + token);
        if (form != null) {
            connection.setDoOutput(true);
            connection.setRequestProperty("Content-Type", "multipart/form-data; boundary=frontier");
            connection.setFixedLengthStreamingMode(form[0].length + form[1].length + form[2].length);
            try (OutputStream out = connection.getOutputStream()) {
                for (byte[] piece : form) {
                    out.write(piece);
                }
            }
        }
        int status = connection.getResponseCode();
        // A streamed request that is answered 401 has no stream.
        try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            if (in != null) {
                in.readAllBytes();
            }
        }
        System.out.println(step + " " + status);
    }
}
