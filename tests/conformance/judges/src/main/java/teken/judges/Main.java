package teken.judges;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Judges many files in one JVM: {@code Main REQUEST.json ANSWER.json}.
 *
 * <p>A request is {@code [{"file", "anchors": [PEM], "crls": [DER]}]}; without anchors only veraPDF is asked. The
 * answer keeps the order. Nothing here opens a connection: what a judge needs is in the file or in the request.
 */
public final class Main {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        Request[] requests = JSON.readValue(Path.of(arguments[0]).toFile(), Request[].class);
        Pages pages = new Pages();
        List<Map<String, Object>> answers =
                Arrays.stream(requests).parallel().map(request -> judged(request, pages)).toList();
        JSON.writeValue(Path.of(arguments[1]).toFile(), answers);
    }

    private static Map<String, Object> judged(Request request, Pages pages) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("file", request.file());
        answer.put("verapdf", pages.failures(Path.of(request.file())));
        if (!request.anchors().isEmpty()) {
            answer.put("dss", new Signatures(request.anchors(), request.crls()).facts(Path.of(request.file())));
        }
        return answer;
    }

    /** One file to judge, whom to trust, and the revocation lists that are not in the file. */
    record Request(String file, List<String> anchors, List<String> crls) {}
}
