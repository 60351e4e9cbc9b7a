package teken.judges;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.verapdf.core.VeraPDFException;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.ValidationResult;
import org.verapdf.pdfa.validation.profiles.RuleId;

/** veraPDF: is the file PDF/A-3a and PDF/UA-1, as it says of itself? */
final class Pages {
    private static final List<PDFAFlavour> PROFILES = List.of(PDFAFlavour.PDFA_3_A, PDFAFlavour.PDFUA_1);

    Pages() {
        VeraGreenfieldFoundryProvider.initialise();
    }

    /** Failed rules with the number of places, by profile: {@code {"3a": {"6.3.3-1": 2}, "ua1": {}}}. */
    Map<String, Map<String, Integer>> failures(Path file) {
        Map<String, Map<String, Integer>> failures = new LinkedHashMap<>();
        for (PDFAFlavour profile : PROFILES) {
            failures.put(profile.getId(), failures(file, profile));
        }
        return failures;
    }

    private static Map<String, Integer> failures(Path file, PDFAFlavour profile) {
        try (InputStream stream = Files.newInputStream(file);
                PDFAParser parser = Foundries.defaultInstance().createParser(stream, profile);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(profile, false)) {
            return rules(validator.validate(parser));
        } catch (IOException | VeraPDFException unreadable) {
            return Map.of(unreadable.getClass().getSimpleName(), 1);
        }
    }

    private static Map<String, Integer> rules(ValidationResult result) {
        Map<String, Integer> rules = new LinkedHashMap<>();
        result.getFailedChecks().forEach((rule, places) -> rules.put(name(rule), places));
        if (rules.isEmpty() && !result.isCompliant()) {
            rules.put("not compliant, no rule named", 1);
        }
        return rules;
    }

    private static String name(RuleId rule) {
        return rule.getClause() + "-" + rule.getTestNumber();
    }
}
