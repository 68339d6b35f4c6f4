/* EMBED_TXTFILES of ESP-IDF: each text, and a zero behind it. */
  .section .rodata
  .macro embed name, file
  .global \name
\name:
  .incbin "\file"
  .byte 0
  .endm
  embed _binary_ca_pem_start, "ca.pem"
  embed _binary_client_cert_pem_start, "client_cert.pem"
  embed _binary_private_key_pem_start, "private_key.pem"
#ifdef DEVICE_KEY_HAS_PASSPHRASE
  embed _binary_private_key_pass_txt_start, "private_key_pass.txt"
#endif
  .section .note.GNU-stack,"",%progbits
