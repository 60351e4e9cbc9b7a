<?php // Signs a small document with TCPDF: `php tcpdf.php CERTIFICATE KEY OUT [A]`; A for an approval, else it certifies.
require_once '/usr/share/php/tcpdf/tcpdf.php';
$pdf = new TCPDF('P', 'mm', 'A5', true, 'UTF-8', false);
$pdf->setPrintHeader(false); $pdf->setPrintFooter(false);
$pdf->setSignature('file://'.$argv[1], 'file://'.$argv[2], '', '', 2, ['Name'=>'Budi','Reason'=>'Setuju'], $argv[4] ?? '');
$pdf->SetFont('helvetica', '', 12); $pdf->AddPage(); $pdf->Write(0, 'Perjanjian contoh: Rp 100.000');
$pdf->setSignatureAppearance(20, 60, 30, 15);
$pdf->Output($argv[3], 'F');
