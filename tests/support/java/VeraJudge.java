import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.LogManager;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * veraPDF as a judge: which PDF/A a file claims to be, and whether it is.
 *
 * <p>Reads file names, one a line, from standard input, and answers each at once by one line of JSON: {@code flavour}
 * ("3b"; a file that claims nothing is judged as "1b", and fails), {@code compliant}, {@code failed} (rules such as
 * "6.2.4.3-2" with what they say), {@code error} (why the file could not be read, else null). Ends with the input.
 */
public final class VeraJudge {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        // What it logs about a file is not its verdict.
        LogManager.getLogManager().reset();
        VeraGreenfieldFoundryProvider.initialise();
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader names = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String name = names.readLine(); name != null; name = names.readLine()) {
            answers.println(JSON.writeValueAsString(judged(name)));
        }
    }

    private static Map<String, Object> judged(String name) {
        Map<String, Object> verdict = new LinkedHashMap<>();
        verdict.put("flavour", null);
        verdict.put("compliant", false);
        verdict.put("failed", new TreeMap<String, String>());
        verdict.put("error", null);
        try (InputStream file = new FileInputStream(name);
                PDFAParser parser = Foundries.defaultInstance().createParser(file)) {
            PDFAFlavour flavour = parser.getFlavour();
            verdict.put("flavour", flavour.getId());
            // Only failures are told; a page has thousands of checks that pass.
            try (PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false)) {
                ValidationResult result = validator.validate(parser);
                verdict.put("compliant", result.isCompliant());
                verdict.put("failed", failedRules(result));
            }
        } catch (Exception error) {
            verdict.put("error", error.toString());
        }
        return verdict;
    }

    private static Map<String, String> failedRules(ValidationResult result) {
        Map<String, String> failed = new TreeMap<>();
        for (TestAssertion assertion : result.getTestAssertions()) {
            if (assertion.getStatus() == TestAssertion.Status.FAILED) {
                String rule = assertion.getRuleId().getClause() + "-" + assertion.getRuleId().getTestNumber();
                failed.putIfAbsent(rule, assertion.getMessage());
            }
        }
        return failed;
    }

    private VeraJudge() {}
}
